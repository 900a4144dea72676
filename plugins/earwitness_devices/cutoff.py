"""`cutoff`: where the spectrum ends."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from earwitness.types import FloatArray
from earwitness_devices._frames import frame_lengths, log_bands


@dataclass(frozen=True, slots=True)
class Cutoff:
    """The edge in the highs that a converter, a codec or a link leaves, and how steep it is.

    With x the long-term log power in bands and D[m] = mean of x over `reach` Hz under band m less that over `reach` Hz
    from m on, or as far as there are bands, the two values are

        the m > `low` of largest D, as a share of half the rate; 1 where that D is under `least`;
        that D.

    An edge tells a codec or a rate conversion as well as a device, and is evidence to be asked for by name.

    Args:
        frame_ms: Length of a frame.
        hop_ms: From one frame to the next.
        bands: Equal bands up to half the rate.
        low: Lowest edge looked for, in Hz: under it a voice falls off steeply by itself.
        reach: Width of the averages in Hz.
        least: What counts as an edge, in nepers of power.
    """

    name: ClassVar[str] = "cutoff"
    frame_ms: float = 32.0
    hop_ms: float = 16.0
    bands: int = 128
    low: float = 3000.0
    reach: float = 500.0
    least: float = 2.0

    def __call__(self, samples: FloatArray, rate: int) -> FloatArray:
        """(B, n) -> (B, 1, 2).

        Raises:
            OptionError: More bands than the frame bears.
        """
        frame, hop = frame_lengths(rate, self.frame_ms, self.hop_ms)
        return np.stack([self._edge(log_bands(window, frame, hop, self.bands), rate) for window in samples])[:, None]

    def _edge(self, x: FloatArray, rate: int) -> FloatArray:
        """One window's (frames, bands) -> (2,)."""
        course = np.log(np.exp(x, dtype=np.float64).mean(axis=0))
        sums = np.concatenate([[0.0], np.cumsum(course)])
        width = max(1, round(self.reach * 2 * self.bands / rate))
        first = max(1, round(self.low * 2 * self.bands / rate))
        edges = np.arange(min(first, self.bands - 1), self.bands)
        under, over = np.maximum(edges - width, 0), np.minimum(edges + width, self.bands)
        fall = (sums[edges] - sums[under]) / (edges - under) - (sums[over] - sums[edges]) / (over - edges)
        steepest = fall.argmax()
        edge = edges[steepest] / self.bands if fall[steepest] >= self.least else 1.0
        return np.array([edge, fall[steepest]], np.float32)
