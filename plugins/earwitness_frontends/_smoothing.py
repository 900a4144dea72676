"""The smooth course of a spectrum."""

import numpy as np

from earwitness.types import FloatArray


def smooth(spectra: FloatArray, bins: int) -> FloatArray:
    """Mean over each value and its `bins` // 2 neighbours on either side, the ends repeated: (..., m) -> (..., m)."""
    reach = bins // 2
    sides = [(0, 0)] * (spectra.ndim - 1) + [(reach + 1, reach)]  # one more, for the first difference
    sums = np.cumsum(np.pad(spectra, sides, mode="edge"), axis=-1, dtype=np.float64)
    width = 2 * reach + 1
    return np.asarray((sums[..., width:] - sums[..., :-width]) / width)
