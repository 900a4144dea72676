"""The discrete Fourier transform of a whole clip, long enough that filters don't wrap round."""

import numpy as np
from numpy.typing import NDArray

from earwitness.types import FloatArray

Spectrum = NDArray[np.complex64]

MARGIN = 1024
"""Samples: the longest that the response of a microphone rings."""


def fast_length(count: int) -> int:
    """The least 4, 5, 6 or 7 times a power of two that is `count` or more."""
    shift = max(0, (count - 1).bit_length() - 3)
    return next(factor << shift for factor in (4, 5, 6, 7, 8) if factor << shift >= count)


def gaussian(bins: int, rng: np.random.Generator) -> Spectrum:
    """Complex normal numbers of mean square 1, (bins,): the spectrum of white noise, drawn without a transform."""
    parts = rng.standard_normal(2 * bins, dtype=np.float32) * np.float32(np.sqrt(0.5))
    return parts.view(np.complex64)


def convolve(samples: FloatArray, response: FloatArray) -> FloatArray:
    """Samples (n,) through an impulse response (m,), the first n samples of it, (n,)."""
    length = fast_length(len(samples) + len(response))
    product = np.fft.rfft(samples, length) * np.fft.rfft(response, length)
    return np.fft.irfft(product, length)[: len(samples)].astype(np.float32, copy=False)
