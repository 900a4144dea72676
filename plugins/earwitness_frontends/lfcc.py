"""`lfcc60`: linear frequency cepstral coefficients with their changes."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from earwitness.types import FloatArray
from earwitness_frontends._cepstrum import cepstra, deltas
from earwitness_frontends._spectrum import log_bands


@dataclass(frozen=True, slots=True)
class Lfcc:
    """Cepstra over linearly spaced bands, as sharp in the highs as in the lows; with delta and delta-delta.

    c_t[j] = sum_m a_j ln E_t[m] cos(pi j (m + 1/2) / M): orthonormal DCT-II of log energies in M triangular
    bands; then five-frame slopes of c, and slopes of these. 20 filters and 60 values a frame as in Yan et al.,
    System Fingerprint Recognition for Deepfake Audio, 2023, and Sahidullah et al., A Comparison of Features for
    Synthetic Speech Detection, Interspeech 2015.

    Args:
        filters: Bands.
        coefficients: Cepstra kept, c0 first; a frame has three times as many values.
        frame_ms: Length of a frame.
        hop_ms: From one frame to the next.
        low: Lower edge of the lowest band in Hz.
        high: Upper edge of the highest band in Hz; None means half the rate.
    """

    name: ClassVar[str] = "lfcc60"
    filters: int = 20
    coefficients: int = 20
    frame_ms: float = 25.0
    hop_ms: float = 10.0
    low: float = 0.0
    high: float | None = None

    def __call__(self, samples: FloatArray, rate: int) -> FloatArray:
        """(B, n) -> (B, frames, 3 x coefficients).

        Raises:
            OptionError: More coefficients than filters, or bands outside 0 to half the rate.
        """
        edges = self.low, self.high
        energies = log_bands(samples, rate, "linear", self.filters, self.frame_ms, self.hop_ms, edges)
        static = cepstra(energies, self.coefficients)
        delta = deltas(static)
        return np.concatenate([static, delta, deltas(delta)], axis=-1)
