"""From log band energies to cepstra and their changes over time."""

from functools import cache

import numpy as np

from earwitness.errors import OptionError
from earwitness.types import FloatArray


def cepstra(log_energies: FloatArray, coefficients: int) -> FloatArray:
    """The first `coefficients` of the orthonormal DCT-II over bands, from c0: (B, frames, coefficients).

    Raises:
        OptionError: More coefficients than bands.
    """
    bands = log_energies.shape[-1]
    if coefficients > bands:
        raise OptionError(f"{bands} filters bear at most {bands} coefficients, not {coefficients}: ask for fewer")
    result = np.empty((*log_energies.shape[:2], coefficients), np.float32)
    for window, out in zip(log_energies, result, strict=True):
        np.matmul(window, dct(bands, coefficients), out=out)
    return result


def deltas(features: FloatArray) -> FloatArray:
    """Slope over five frames: d_t = sum_i i (c_{t+i} - c_{t-i}) / 10, i = 1, 2; the ends are repeated.

    Furui, Speaker-independent isolated word recognition using dynamic features, IEEE TASSP 34(1), 1986.
    (B, frames, dims) -> the same shape.
    """
    last = features.shape[1] - 1
    held = features[:, np.clip(np.arange(-2, last + 3), 0, last)]
    slope: FloatArray = held[:, 4:] - held[:, :-4]
    slope *= 2.0
    slope += held[:, 3:-1] - held[:, 1:-3]
    slope /= 10.0
    return slope


@cache
def dct(bands: int, coefficients: int) -> FloatArray:
    """The orthonormal DCT-II as a matrix, (bands, coefficients)."""
    angle = np.pi / bands * np.outer(np.arange(bands) + 0.5, np.arange(coefficients))
    matrix: FloatArray = (np.sqrt(2.0 / bands) * np.cos(angle)).astype(np.float32)
    matrix[:, 0] = np.sqrt(1.0 / bands)
    return matrix
