"""`mfcc40`: mel frequency cepstral coefficients."""

from dataclasses import dataclass
from typing import ClassVar

from earwitness.types import FloatArray
from earwitness_frontends._cepstrum import cepstra
from earwitness_frontends._spectrum import log_bands


@dataclass(frozen=True, slots=True)
class Mfcc:
    """Cepstra over bands spaced as the ear's: orthonormal DCT-II of log energies in triangular mel bands.

    Davis and Mermelstein, Comparison of parametric representations for monosyllabic word recognition, IEEE
    TASSP 28(4), 1980. Yan et al., System Fingerprint Recognition for Deepfake Audio, 2023, have 40 coefficients
    (Hamming, 25 ms every 10 ms) over 26 channels, which bear only 26 independent ones; here the 40 rest on 40
    channels.

    Args:
        filters: Mel bands.
        coefficients: Cepstra kept, c0 first.
        frame_ms: Length of a frame.
        hop_ms: From one frame to the next.
        low: Lower edge of the lowest band in Hz.
        high: Upper edge of the highest band in Hz; None means half the rate.
    """

    name: ClassVar[str] = "mfcc40"
    filters: int = 40
    coefficients: int = 40
    frame_ms: float = 25.0
    hop_ms: float = 10.0
    low: float = 0.0
    high: float | None = None

    def __call__(self, samples: FloatArray, rate: int) -> FloatArray:
        """(B, n) -> (B, frames, coefficients).

        Raises:
            OptionError: More coefficients than filters, or bands outside 0 to half the rate.
        """
        edges = self.low, self.high
        energies = log_bands(samples, rate, "mel", self.filters, self.frame_ms, self.hop_ms, edges)
        return cepstra(energies, self.coefficients)
