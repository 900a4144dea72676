"""`ambience`: what else sounds in a place, before any microphone."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from earwitness.audio import read_clip, resampled
from earwitness.types import FloatArray
from earwitness_devices.simulation._curves import OCTAVES, on_frequencies, smooth
from earwitness_devices.simulation._transform import fast_length, gaussian

AMBIENCE = 5  # keeps this stream of chance apart


@dataclass(frozen=True, slots=True)
class Ambience:
    """Add the background of a place: coloured noise whose level wanders slowly, or a stretch of a recording.

    10 log10(mean x^2 / mean b^2) is the ratio drawn. The noise falls by 2 to 8 dB an octave with a smooth curve on
    it; its level is a line through knots 0.5 s apart. Silence stays silence.

    Args:
        ratio: The lowest and highest ratio of speech to background in dB over the whole clip.
        wander: The most by which the level deviates, as a standard deviation in dB.
        seed: Number of a place whose colour stays the same; none draws another in each call.
        file: A recording to use instead, from a place in it that each call draws; repeated where it is too short.
    """

    name: ClassVar[str] = "ambience"
    ratio: tuple[float, float] = (20.0, 60.0)
    wander: float = 2.0
    seed: int | None = None
    file: str = ""

    def __call__(self, samples: FloatArray, rate: int, rng: np.random.Generator) -> FloatArray:
        """(n,) -> (n,)."""
        if not samples.size:
            return samples
        sound = self._recorded(len(samples), rate, rng) if self.file else self._drawn(len(samples), rate, rng)
        ratio = 10.0 ** (rng.uniform(*self.ratio) / 10.0)
        loud, background = (float(np.mean(np.square(part, dtype=np.float64))) for part in (samples, sound))
        return samples + sound * np.float32(np.sqrt(loud / (ratio * background)) if background > 0 else 0.0)

    def _recorded(self, count: int, rate: int, rng: np.random.Generator) -> FloatArray:
        recording = _read(self.file, rate)
        start = int(rng.integers(len(recording)))
        return np.resize(np.roll(recording, -start), count)

    def _drawn(self, count: int, rate: int, rng: np.random.Generator) -> FloatArray:
        length = fast_length(count)
        colour = self._colour(rng if self.seed is None else np.random.default_rng([AMBIENCE, self.seed]))
        heights = 10.0 ** (on_frequencies(colour, np.fft.rfftfreq(length, 1.0 / rate)) / 20.0)
        heights[0] = 0.0
        noise = np.fft.irfft(gaussian(len(heights), rng) * heights.astype(np.float32), length)[:count]
        return (noise * self._wandering(count, rate, rng)).astype(np.float32)

    def _colour(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """DB over the grid of curves."""
        return rng.uniform(-8.0, -2.0) * OCTAVES + smooth(rng, 3.0)

    def _wandering(self, count: int, rate: int, rng: np.random.Generator) -> FloatArray:
        knots = np.arange(0.0, count + rate, 0.5 * rate)
        decibels = rng.uniform(0.0, self.wander) * rng.standard_normal(len(knots))
        return np.interp(np.arange(count), knots, 10.0 ** (decibels / 20.0)).astype(np.float32)


@lru_cache(maxsize=64)
def _read(file: str, rate: int) -> FloatArray:
    return resampled(read_clip(Path(file)), rate).samples
