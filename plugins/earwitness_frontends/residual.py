"""`residual`: what is left of a fine spectrum when its smooth course is taken away."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from earwitness.types import FloatArray
from earwitness_frontends._smoothing import smooth
from earwitness_frontends._spectrum import FLOOR, power_spectrum


@dataclass(frozen=True, slots=True)
class Residual:
    """High-resolution residual of a vocoder: ripples of the long spectrum, of its unrest, and of its pauses.

    x_t[m] is the log power of bin m in frame t under a Hann window of `frame_ms`, from `low` to `high` Hz; voiced
    frames lie within `depth` dB of the loudest, quiet ones are the `quiet` share of least energy; the voiced ones are
    closed up. With A_n an average over n neighbouring bins, the window's one row is

        m - A_15 m,  m = mean of x over voiced frames;
        d - A_31 d,  d = mean of |x_t - x_{t-1}| over voiced frames;
        q - A_31 q,  q = mean of x over quiet frames.

    A voice, a room and a microphone colour the spectrum smoothly over some hundred Hz; upsampling, inverse transforms
    and learned filters leave ripples finer than that, the same in every sentence a set of weights speaks. First-order
    residuals name a synthesiser in Pizarro et al., Single-model attribution of generative speech (arXiv 2411.14013).

    Args:
        frame_ms: Length of a frame: finer bins blur in time, coarser ones show the voice instead.
        hop_ms: From one frame to the next.
        low: Lowest frequency in Hz.
        high: Highest frequency in Hz, under what lossy codecs cut off.
        depth: How far under the loudest frame a voiced one may lie, in dB.
        quiet: Share of frames that count as pauses.
    """

    name: ClassVar[str] = "residual"
    frame_ms: float = 64.0
    hop_ms: float = 16.0
    low: float = 62.5
    high: float = 7200.0
    depth: float = 26.0
    quiet: float = 0.2

    def __call__(self, samples: FloatArray, rate: int) -> FloatArray:
        """(B, n) -> (B, 1, dims), 1371 of them by default at 16 kHz.

        Raises:
            OptionError: `high` beyond half the rate, or no bin from `low` to `high`.
        """
        return np.stack([self._row(window, rate) for window in samples])[:, None]

    def _row(self, window: FloatArray, rate: int) -> FloatArray:
        """One window (n,) -> (dims,)."""
        frame, hop = round(self.frame_ms * rate / 1000), round(self.hop_ms * rate / 1000)
        power = power_spectrum(window, rate, frame, hop, (self.low, self.high))  # (frames, bins)
        energy = power.sum(axis=1)
        x = np.log(np.maximum(power, FLOOR))
        voiced = x[energy >= energy.max() * 10 ** (-self.depth / 10)]
        pauses = x[np.argsort(energy, kind="stable")[: max(1, round(self.quiet * len(x)))]]
        unrest = np.abs(np.diff(voiced, axis=0)).mean(axis=0) if len(voiced) > 1 else np.zeros_like(x[0])
        parts = ((voiced.mean(axis=0), 15), (unrest, 31), (pauses.mean(axis=0), 31))
        return np.concatenate([course - smooth(course, bins) for course, bins in parts]).astype(np.float32)
