"""`mfcc39`: a few mel frequency cepstral coefficients with their changes, as work on recording devices takes them."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from earwitness.types import FloatArray
from earwitness_frontends._cepstrum import cepstra, deltas
from earwitness_frontends._spectrum import log_bands


@dataclass(frozen=True, slots=True)
class Mfcc39:
    """Thirteen MFCC, c0 first, their five-frame slopes, and slopes of these: 39 values every 15 ms.

    Frames of 30 ms that overlap by half, as in Zeng et al., Spatial and temporal learning representation for end-to-end
    recording device identification, EURASIP JASP, 2021, which leaves open the mel bands: here 26, as is usual for 13.

    Args:
        filters: Mel bands.
        coefficients: Cepstra kept, c0 first; a frame has three times as many values.
        frame_ms: Length of a frame.
        hop_ms: From one frame to the next.
    """

    name: ClassVar[str] = "mfcc39"
    filters: int = 26
    coefficients: int = 13
    frame_ms: float = 30.0
    hop_ms: float = 15.0

    def __call__(self, samples: FloatArray, rate: int) -> FloatArray:
        """(B, n) -> (B, frames, 3 x coefficients).

        Raises:
            OptionError: More coefficients than filters.
        """
        energies = log_bands(samples, rate, "mel", self.filters, self.frame_ms, self.hop_ms, (0.0, None))
        static = cepstra(energies, self.coefficients)
        delta = deltas(static)
        return np.concatenate([static, delta, deltas(delta)], axis=-1)
