"""Tones that stand all the time: what rises out of the quiet spectrum, bin by bin."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from earwitness.types import FloatArray
from earwitness_devices._frames import SILENT, log_power, power_spectra

SHARE = 0.15
"""Of frames in which a tone may be drowned by speech and still be counted as standing."""

REACH = 7  # bins on either side


def steady_tones(window: FloatArray, frame: int) -> FloatArray:
    """How far each bin stands out from its neighbours in the quiet of a window.

    z[j] - median of z[i] over |i - j| <= 7, z[j] the 0.15-quantile over time of the log power of bin j, the spectrum
    mirrored beyond its ends. Frames of digital silence are left out, unless there is nothing else.

    Args:
        window: (n,).
        frame: Samples a frame; the next begins half a frame later.

    Returns:
        (frame // 2,) for bins 1 to frame // 2.
    """
    x = log_power(power_spectra(window, frame, frame // 2))[:, 1:]
    recorded = x.max(axis=1) > SILENT
    x = x[recorded] if recorded.any() else x
    quiet = np.sort(x, axis=0)[round(SHARE * (len(x) - 1))]
    around = sliding_window_view(np.pad(quiet, REACH, mode="reflect"), 2 * REACH + 1)
    return np.asarray(quiet - np.partition(around, REACH, axis=1)[:, REACH])
