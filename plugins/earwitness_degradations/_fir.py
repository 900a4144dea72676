"""Linear-phase FIR filters whose delay is taken out again."""

import numpy as np
from numpy.typing import NDArray

from earwitness.types import FloatArray

TAPS = 255
"""Odd, so that the delay is a whole number of samples; 16 ms at 16 kHz."""


def apply_fir(samples: FloatArray, taps: NDArray[np.float64]) -> FloatArray:
    """Filter (n,) with an odd number of symmetric `taps`, in time with the input."""
    if not samples.size:
        return samples
    delay = len(taps) // 2
    return np.convolve(samples, taps.astype(np.float32))[delay : delay + len(samples)]
