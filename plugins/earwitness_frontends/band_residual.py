"""`band_residual`: log bands without their smooth course, frame by frame."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from earwitness.types import FloatArray
from earwitness_frontends._smoothing import smooth
from earwitness_frontends._spectrum import log_bands


@dataclass(frozen=True, slots=True)
class BandResidual:
    """Log energies in linear bands less the mean of their neighbours: what a network may hear of a synthesiser.

    r_t[m] = x_t[m] - mean of x_t[m - w ... m + w], w = `neighbours` // 2, the outermost bands repeated; formants,
    rooms and microphones are smooth over nine bands of a hundred Hz or so, and go.

    Args:
        bands: Linear bands.
        neighbours: Bands averaged, an odd number.
        frame_ms: Length of a frame.
        hop_ms: From one frame to the next.
        high: Upper edge of the highest band in Hz; None means half the rate.
    """

    name: ClassVar[str] = "band_residual"
    bands: int = 64
    neighbours: int = 9
    frame_ms: float = 25.0
    hop_ms: float = 10.0
    high: float | None = None

    def __call__(self, samples: FloatArray, rate: int) -> FloatArray:
        """(B, n) -> (B, frames, bands).

        Raises:
            OptionError: Bands beyond half the rate.
        """
        x = log_bands(samples, rate, "linear", self.bands, self.frame_ms, self.hop_ms, (0.0, self.high))
        return np.asarray(x - smooth(x, self.neighbours), np.float32)
