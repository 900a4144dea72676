"""`log_mel`: log energies in mel bands."""

from dataclasses import dataclass
from typing import ClassVar

from earwitness.types import FloatArray
from earwitness_frontends._spectrum import log_bands


@dataclass(frozen=True, slots=True)
class LogMel:
    """Natural logarithm of the energy in triangular mel bands, what speech networks usually hear.

    80 bands of 25 ms every 10 ms as in Desplanques et al., ECAPA-TDNN, Interspeech 2020.

    Args:
        filters: Mel bands.
        frame_ms: Length of a frame.
        hop_ms: From one frame to the next.
        low: Lower edge of the lowest band in Hz.
        high: Upper edge of the highest band in Hz; None means half the rate.
    """

    name: ClassVar[str] = "log_mel"
    filters: int = 80
    frame_ms: float = 25.0
    hop_ms: float = 10.0
    low: float = 0.0
    high: float | None = None

    def __call__(self, samples: FloatArray, rate: int) -> FloatArray:
        """(B, n) -> (B, frames, filters).

        Raises:
            OptionError: Bands outside 0 to half the rate.
        """
        edges = self.low, self.high
        return log_bands(samples, rate, "mel", self.filters, self.frame_ms, self.hop_ms, edges)
