"""Cyclic spectra of the first and second order: what repeats itself exactly, second after second.

A sound is cyclostationary when its mean or its variance is periodic (Gardner, Napolitano and Paura,
Cyclostationarity: half a century of research, Signal Processing 86, 2006). A decoder that raises frames to samples by
fixed integer factors puts the same weights on every H-th sample: its biases become tones, the first order (Pons et
al., Upsampling artifacts in neural audio synthesis, ICASSP 2021), and its kernels modulate the envelope, the second,
both at multiples of native rate / H. Speech moves and smears; these lines stand.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from earwitness.types import FloatArray
from earwitness_cyclic._whitening import fast_length, mean_over

BAND = 2000.0
"""Hz, the width of a band whose envelope is taken; the envelope's lines reach as far."""

LEVELLING = 0.1
"""Seconds over which an envelope is levelled."""

PEAK = 8.0
"""Times its level that an envelope may reach: one click shall not be the whole spectrum."""

NEIGHBOURHOOD = 20.0
"""Hz on either side over which a spectrum is levelled: less than any spacing."""

EMPTY = 0.05
"""Share of the mean level under which a stretch of spectrum holds nothing but a decoder's rounding, cut off by it."""

BROADLY = 500.0
"""Hz on either side over which that is told."""


@dataclass(frozen=True, slots=True)
class CyclicSpectra:
    """Levelled power of one order: `power` (bands, bins), exponential of mean 1 where nothing stands.

    Bin j lies at j x `step` Hz, about two bins to one over the duration.
    """

    power: FloatArray
    step: float

    @property
    def limit(self) -> float:
        """The highest frequency in Hz."""
        return self.step * float(self.power.shape[1] - 1)

    def up_to(self, frequency: float) -> "CyclicSpectra":
        """The same, no line above a frequency in Hz."""
        return CyclicSpectra(self.power[:, : int(frequency / self.step) + 1], self.step)

    def bands(self, count: int) -> "CyclicSpectra":
        """The same, of the lowest bands alone."""
        return CyclicSpectra(self.power[:count], self.step)

    def at(self, frequencies: NDArray[np.float64]) -> FloatArray:
        """(K,) Hz, none above the limit -> (bands, K): the power in the bins nearest."""
        return self.power[:, np.rint(frequencies / self.step).astype(np.int64)]


def first_order(white: FloatArray, rate: int) -> CyclicSpectra:
    """Tones of a whitened sound (n,): one band, up to half the rate."""
    return _levelled(white[np.newaxis], float(rate), rate / 2)


def second_order(white: FloatArray, rate: int) -> CyclicSpectra:
    """Tones in the envelopes of a whitened sound (n,): bands of 2 kHz from 0 Hz to half the rate, lines up to 2 kHz.

    One transform serves all bands. A band's bins, with as many zeros after them, transformed back are its analytic
    signal at twice its width in samples a second, which is room for its squared magnitude: nothing folds.
    """
    size = fast_length(len(white))
    bands, width = max(1, int(rate / 2 / BAND)), int(BAND * size / rate)
    spectrum = np.fft.rfft(white, size)[: bands * width]
    rows = np.pad(spectrum, (0, bands * width - len(spectrum))).reshape(bands, width)
    analytic = np.fft.ifft(rows, fast_length(2 * width))
    envelope_rate = rate * analytic.shape[1] / size
    kept = round(len(white) / rate * envelope_rate)
    envelopes = np.square(analytic.real[:, :kept]) + np.square(analytic.imag[:, :kept])
    level = mean_over(envelopes, round(LEVELLING / 2 * envelope_rate))
    level += np.float32(1e-3) * envelopes.mean(axis=1, keepdims=True) + np.finfo(np.float32).tiny
    envelopes = np.minimum(envelopes / level, np.float32(PEAK))
    return _levelled(envelopes - envelopes.mean(axis=1, keepdims=True), envelope_rate, BAND)


def _levelled(signals: FloatArray, rate: float, limit: float) -> CyclicSpectra:
    """(bands, n) -> power under a Hann window up to `limit` Hz, over its mean in the neighbourhood; 1 where empty."""
    count = signals.shape[1]
    size = fast_length(2 * count)
    window = np.square(np.sin(np.linspace(0, np.pi, count + 2, dtype=np.float32)[1:-1]))
    spectra = np.fft.rfft(signals * window, size)[:, : int(limit * size / rate) + 1]
    power = np.square(spectra.real) + np.square(spectra.imag)
    near = round(NEIGHBOURHOOD * size / rate)
    level = mean_over(power, near)
    broad = mean_over(level[:, ::near], round(BROADLY / NEIGHBOURHOOD))
    empty = broad <= np.float32(EMPTY) * broad.mean(axis=1, keepdims=True) + np.finfo(np.float32).tiny
    empty = np.repeat(empty, near, axis=1)[:, : level.shape[1]] | (level <= 0)  # tiny differences of large sums
    level[empty] = 1
    power /= level
    power[empty] = 1
    return CyclicSpectra(power, rate / size)
