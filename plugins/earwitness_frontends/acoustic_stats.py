"""`acoustic_stats`: a handful of figures that describe a window's sound."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from earwitness.types import FloatArray
from earwitness_frontends._cepstrum import cepstra
from earwitness_frontends._spectrum import fft_length, hann, log_bands, power_spectrum

PITCH_HZ = 75.0, 500.0
PERIODS = 4.5
"""Of the lowest pitch in a frame that is searched for periods, as Boersma has it for this ratio."""

DEPTH = 10**-2.6
"""Of the loudest frame's energy: what a frame must have to count as voice, 26 dB under it."""

LEAST, MOST = 1e-3, 1 - 1e-3
"""Correlations are held within these: ratios of -30 to 30 dB."""


@dataclass(frozen=True, slots=True)
class AcousticStats:
    """Mean MFCC, spectral centroid in kHz, zero crossings a sample, and harmonics to noise in dB.

        MFCC: orthonormal DCT-II of log energies in mel bands;
        centroid: sum_k f_k |X_t[k]| / sum_k |X_t[k]| under a Hann window, 0 in a silent frame;
        crossings: the share of neighbouring samples of which one is under zero and the other isn't;
        harmonics to noise: 10 log10(r / (1 - r)), r the highest peak of a frame's autocorrelation over that of its Hann
        window, at lags of pitches of 75 to 500 Hz; frames within 26 dB of the loudest.

    What Azzam, Machine learning based microphone fingerprinting, 2023, considers for microphones; it settles on the
    mean MFCC, and leaves open how many. Ratio: Boersma, Accurate short-term analysis of the fundamental frequency and
    the harmonics-to-noise ratio of a sampled sound, IFA Proceedings 17, 1993.

    Args:
        filters: Mel bands.
        coefficients: MFCC, c0 first.
        frame_ms: Length of a frame, but for the ratio, whose frames hold 4.5 periods of 75 Hz.
        hop_ms: From one frame to the next.
    """

    name: ClassVar[str] = "acoustic_stats"
    filters: int = 40
    coefficients: int = 20
    frame_ms: float = 25.0
    hop_ms: float = 10.0

    def __call__(self, samples: FloatArray, rate: int) -> FloatArray:
        """(B, n) -> (B, 1, coefficients + 3).

        Raises:
            OptionError: More coefficients than filters.
        """
        energies = log_bands(samples, rate, "mel", self.filters, self.frame_ms, self.hop_ms, (0.0, None))
        mfcc = cepstra(energies, self.coefficients).mean(axis=1)
        hop = round(self.hop_ms * rate / 1000)
        frame = round(self.frame_ms * rate / 1000)
        rest = [(_centroid(x, rate, frame, hop) / 1000, _crossings(x), _harmonicity(x, rate, hop)) for x in samples]
        return np.concatenate([mfcc, np.array(rest, np.float32)], axis=1)[:, None]


def _centroid(window: FloatArray, rate: int, frame: int, hop: int) -> float:
    """Mean over frames of the spectrum's centre of mass in Hz, of (n,)."""
    magnitude = np.sqrt(power_spectrum(window, rate, frame, hop, (0.0, rate / 2)))  # (frames, bins)
    hertz = np.arange(magnitude.shape[1]) * rate / fft_length(frame)
    return float((magnitude @ hertz / np.maximum(magnitude.sum(axis=1), 1e-9)).mean())


def _crossings(window: FloatArray) -> float:
    """Zero crossings a sample, of (n,)."""
    negative = window < 0
    return float(np.count_nonzero(negative[1:] != negative[:-1]) / max(1, len(window) - 1))


def _harmonicity(window: FloatArray, rate: int, hop: int) -> float:
    """Mean ratio of harmonics to noise in dB over voiced frames, of (n,)."""
    frame = round(PERIODS * rate / PITCH_HZ[0])
    padded = np.pad(window, (0, max(0, frame - len(window))))
    frames = sliding_window_view(padded, frame)[::hop]
    correlation = _autocorrelation((frames - frames.mean(axis=1, keepdims=True)) * hann(frame))  # (frames, lags)
    energy = correlation[:, :1]
    voiced = energy[:, 0] >= DEPTH * energy.max()
    own = _autocorrelation(hann(frame)[None])
    r = correlation[voiced] / np.maximum(energy[voiced], 1e-20) / (own / own[:, :1])
    peak = np.clip(_peak(r[:, round(rate / PITCH_HZ[1]) - 1 : round(rate / PITCH_HZ[0]) + 2]), LEAST, MOST)
    return float(10 * np.log10(peak / (1 - peak)).mean())


def _autocorrelation(frames: FloatArray) -> FloatArray:
    """(frames, n) -> (frames, lags), lags up to half of n."""
    length = frames.shape[1]
    spectrum = np.fft.rfft(frames, fft_length(length + length // 2))
    return np.asarray(np.fft.irfft(np.square(spectrum.real) + np.square(spectrum.imag))[:, : length // 2])


def _peak(r: FloatArray) -> FloatArray:
    """The highest value off the ends, on the parabola through it and its neighbours: (frames, lags) -> (frames,)."""
    rows = np.arange(len(r))
    at = 1 + r[:, 1:-1].argmax(axis=1)
    before, top, after = r[rows, at - 1], r[rows, at], r[rows, at + 1]
    bend = np.maximum(2 * top - before - after, 1e-9)
    return np.asarray(top + np.square(np.clip((after - before) / bend, -1, 1)) * bend / 8)
