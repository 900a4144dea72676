"""Short-time spectra summed into bands, in single precision and in blocks that stay in the L2 cache."""

import math
from functools import cache
from typing import Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from earwitness.errors import OptionError
from earwitness.types import FloatArray
from earwitness_frontends._filterbank import triangles

BLOCK_FRAMES = 128
"""At 16 kHz a block of frames and its spectrum take 0.5 MB: half of a usual L2 cache."""

FLOOR = np.float32(1e-10)
"""Least energy before the logarithm, 20 dB under the rounding noise of 16-bit sound."""


@cache
def fft_length(frame: int) -> int:
    """The least length from `frame` on with no prime factor above 5: it transforms fast, and 400 stays 400."""
    return next(length for length in range(frame, 2 * frame) if 60 ** length.bit_length() % length == 0)


def log_bands(
    samples: FloatArray,
    rate: int,
    scale: Literal["linear", "mel"],
    filters: int,
    frame_ms: float,
    hop_ms: float,
    edges: tuple[float, float | None],
) -> FloatArray:
    """`log_band_energies` in `filters` triangles between two edges in Hz, of frames given in milliseconds.

    (B, n) -> (B, frames, filters); OptionError where the edges don't lie within 0 and half the rate.
    """
    frame, hop = round(frame_ms * rate / 1000), round(hop_ms * rate / 1000)
    return log_band_energies(samples, frame, hop, triangles(scale, filters, rate, fft_length(frame), *edges))


def log_band_energies(samples: FloatArray, frame: int, hop: int, bank: FloatArray) -> FloatArray:
    """Natural logarithm of the energy in each band of each frame.

    ln max(sum_k H[k, m] |X_t[k]|^2, 1e-10),  X_t the transform of frame t under a periodic Hamming window.
    Frames begin at the first sample and lie wholly inside the window of sound; one shorter than a frame is
    filled with zeros to make one. Windows go through one at a time, so none depends on its batch.

    Args:
        samples: (B, n).
        frame: Samples a frame.
        hop: Samples from one frame to the next.
        bank: Band weights over the bins of the transform, (fft_length(frame) // 2 + 1, bands).

    Returns:
        (B, frames, bands) float32.
    """
    if samples.shape[1] < frame:
        samples = np.pad(samples, ((0, 0), (0, frame - samples.shape[1])))
    frames = sliding_window_view(samples, frame, axis=1)[:, ::hop]  # (B, frames, frame), a view
    energies = np.empty((*frames.shape[:2], bank.shape[1]), np.float32)
    for window_frames, window_energies in zip(frames, energies, strict=True):
        for start in range(0, len(window_frames), BLOCK_FRAMES):
            block = slice(start, start + BLOCK_FRAMES)
            power = _power(window_frames[block] * hamming(frame))
            np.matmul(power, bank, out=window_energies[block])
    return np.log(np.maximum(energies, FLOOR, out=energies), out=energies)


def _power(frames: FloatArray) -> FloatArray:
    """(frames, frame) -> |X|^2, (frames, bins)."""
    spectrum = np.fft.rfft(frames, fft_length(frames.shape[1]))
    power: FloatArray = np.square(spectrum.real)
    power += np.square(spectrum.imag)
    return power


def power_spectrum(window: FloatArray, rate: int, frame: int, hop: int, edges: tuple[float, float]) -> FloatArray:
    """|X|^2 of frames under a periodic Hann window, at the bins between two edges in Hz: (n,) -> (frames, bins).

    Frames lie as in `log_band_energies`; OptionError where the edges don't lie within 0 and half the rate, or hold
    no bin.
    """
    low, high = edges
    bin_hz = rate / fft_length(frame)
    first, last = math.ceil(low / bin_hz), math.floor(high / bin_hz)
    if low < 0 or first > last or high > rate / 2:
        raise OptionError(
            f"bins of {bin_hz:g} Hz don't fill {low:g} to {high:g} Hz in sound at {rate} Hz: "
            f"give edges further apart, within 0 to {rate / 2:g} Hz"
        )
    padded = np.pad(window, (0, max(0, frame - len(window))))
    frames = sliding_window_view(padded, frame)[::hop]  # a view
    blocks = (frames[start : start + BLOCK_FRAMES] for start in range(0, len(frames), BLOCK_FRAMES))
    return np.concatenate([_power(block * hann(frame))[:, first : last + 1] for block in blocks])


@cache
def hann(frame: int) -> FloatArray:
    """The periodic Hann window, (frame,)."""
    return np.hanning(frame + 1)[:-1].astype(np.float32)


@cache
def hamming(frame: int) -> FloatArray:
    """The periodic Hamming window, (frame,)."""
    return np.hamming(frame + 1)[:-1].astype(np.float32)
