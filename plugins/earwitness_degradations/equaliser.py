"""`equaliser`: another loudspeaker, room or microphone, as a smooth random response."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from earwitness.types import FloatArray
from earwitness_degradations._fir import TAPS, apply_fir

LOWEST_HZ = 50.0


@dataclass(frozen=True, slots=True)
class Equaliser:
    """Filter with a response drawn at random: gains at a few knots, joined by lines over log frequency.

    Knots lie anywhere between 50 Hz and half the rate, evenly in log frequency; gains in dB are
    N(0, deviation^2) cut at `limit`. The 255 taps are the inverse transform of the zero-phase response under
    a Hann window (frequency sampling), so the sound is coloured and not moved.

    Args:
        knots: The fewest and most knots.
        deviation: Standard deviation of a knot's gain in dB.
        limit: The largest gain or loss in dB.
        probability: How often it happens at all.
    """

    name: ClassVar[str] = "equaliser"
    knots: tuple[int, int] = (4, 8)
    deviation: float = 4.0
    limit: float = 12.0
    probability: float = 1.0

    def __call__(self, samples: FloatArray, rate: int, rng: np.random.Generator) -> FloatArray:
        """(n,) -> (n,)."""
        if rng.random() >= self.probability:
            return samples
        return apply_fir(samples, self._taps(rate, rng))

    def _taps(self, rate: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Draw the response and return its linear-phase filter, (TAPS,)."""
        count = rng.integers(self.knots[0], self.knots[1], endpoint=True)
        places = np.sort(rng.uniform(np.log(LOWEST_HZ), np.log(rate / 2), count))
        gains = np.clip(rng.normal(0.0, self.deviation, count), -self.limit, self.limit)
        grid = np.fft.rfftfreq(4 * (TAPS + 1), 1.0 / rate)
        decibels = np.interp(np.log(np.maximum(grid, LOWEST_HZ)), places, gains)
        response = np.fft.irfft(10.0 ** (decibels / 20.0))
        return np.roll(response, TAPS // 2)[:TAPS] * np.hanning(TAPS)
