"""`band`: the band limits of telephones, cheap converters and file formats."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from earwitness.types import FloatArray
from earwitness_degradations._fir import TAPS, apply_fir


@dataclass(frozen=True, slots=True)
class Band:
    """Keep what lies between two frequencies drawn at random, by a windowed sinc.

    h[m] = w[m] (2b sinc(2bm) - 2a sinc(2am)),  |m| <= 127,  w a Hamming window, a and b in cycles a sample:
    the window method of Oppenheim and Schafer, Discrete-Time Signal Processing, 7.5. At 16 kHz the edges are
    about 200 Hz wide; a lower edge of 0 Hz leaves the lows alone, and so does an upper edge at or above half
    the rate with the highs.

    Args:
        high_pass: The range of the lower edge in Hz.
        low_pass: The range of the upper edge in Hz.
        probability: How often it happens at all.
    """

    name: ClassVar[str] = "band"
    high_pass: tuple[float, float] = (0.0, 300.0)
    low_pass: tuple[float, float] = (3000.0, 7500.0)
    probability: float = 1.0

    def __call__(self, samples: FloatArray, rate: int, rng: np.random.Generator) -> FloatArray:
        """(n,) -> (n,)."""
        if rng.random() >= self.probability:
            return samples
        lower = rng.uniform(*self.high_pass) / rate
        upper = min(rng.uniform(*self.low_pass) / rate, 0.5)
        return apply_fir(samples, (_low_pass(upper) - _low_pass(lower)) * np.hamming(TAPS))


def _low_pass(edge: float) -> NDArray[np.float64]:
    """The sinc that keeps frequencies under `edge`, in cycles a sample; (TAPS,)."""
    m = np.arange(TAPS) - TAPS // 2
    taps: NDArray[np.float64] = 2.0 * edge * np.sinc(2.0 * edge * m)
    return taps
