"""`bed`: band energy differences."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from earwitness.types import FloatArray
from earwitness_devices._frames import log_power, power_spectra


@dataclass(frozen=True, slots=True)
class Bed:
    """How the long-term spectrum climbs from bin to bin, a crude frequency response of the device.

    b[k] = ln P[k + 1] - ln P[k],  k = 1 ... points / 2 - 1,  P[k] the mean over frames of |X_t[k]|^2,

    127 values from a transform of 256 points. A gain changes none of them. Bin 0 has no part in it: windows come
    with their mean removed. Luo, Korus and Huang, Band energy difference for source attribution in audio forensics,
    IEEE TIFS 13(9), 2018, propose the feature; number of points and values are as it is used for a baseline in work
    on phones since. Window (Hann), overlap (half) and logarithm are our choice.

    Args:
        points: Samples a frame, and points of its transform.
    """

    name: ClassVar[str] = "bed"
    points: int = 256

    def __call__(self, samples: FloatArray, rate: int) -> FloatArray:  # noqa: ARG002
        """(B, n) -> (B, 1, points / 2 - 1)."""
        power = np.stack([power_spectra(window, self.points, self.points // 2).mean(axis=0) for window in samples])
        return np.diff(log_power(power[:, None, 1:]), axis=-1)
