"""`room`: the reverberation of a place, drawn or measured."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np

from earwitness.audio import read_clip, resampled
from earwitness.types import FloatArray
from earwitness_devices.simulation._transform import convolve

ROOM = 4  # keeps this stream of chance apart


@dataclass(frozen=True, slots=True)
class Room:
    """Convolve with a room's impulse response, in time with the direct sound and at the level of the input.

    h(t) = d(t) + g (r(t) + 10^(-3 t / T) e(t)): the direct sound, a few early reflections within 40 ms, and white
    Gaussian noise e under an exponential decay by 60 dB in T seconds (Polack 1988); g sets the ratio of direct to
    reverberant energy.

    Args:
        reverberation: The shortest and longest T in seconds.
        direct: The least and greatest ratio of direct to reverberant energy in dB.
        seed: Number of a room that stays the same; none draws another in each call.
        file: A measured response to use instead, mono at any rate.
    """

    name: ClassVar[str] = "room"
    reverberation: tuple[float, float] = (0.1, 0.9)
    direct: tuple[float, float] = (0.0, 18.0)
    seed: int | None = None
    file: str = ""

    def __call__(self, samples: FloatArray, rate: int, rng: np.random.Generator) -> FloatArray:
        """(n,) -> (n,)."""
        if not samples.size:
            return samples
        heard = convolve(samples, self.response(rate, rng))
        before, after = (float(np.mean(np.square(sound, dtype=np.float64))) for sound in (samples, heard))
        return heard * np.float32(np.sqrt(before / after) if after > 0 else 1.0)

    def response(self, rate: int, rng: np.random.Generator) -> FloatArray:
        """The impulse response, (m,), its direct sound first."""
        if self.file:
            return _measured(self.file, rate)
        return self._drawn(rate, rng if self.seed is None else np.random.default_rng([ROOM, self.seed]))

    def _drawn(self, rate: int, rng: np.random.Generator) -> FloatArray:
        decay = rng.uniform(*self.reverberation)
        count = round(decay * rate) + 1
        times = np.arange(count) / rate
        tail = rng.standard_normal(count) * 10.0 ** (-3.0 * times / decay)
        places = rng.uniform(0.001, 0.04, 8)
        echoes = rng.choice((-1.0, 1.0), 8) * rng.uniform(2.0, 8.0, 8) * 10.0 ** (-3.0 * places / decay)
        early = np.round(places * rate).astype(np.int64)
        np.add.at(tail, early[early < count], echoes[early < count])
        energy = float(np.sum(np.square(tail))) * 10.0 ** (rng.uniform(*self.direct) / 10.0)
        tail /= np.sqrt(energy)
        tail[0] += 1.0
        return tail.astype(np.float32)


@lru_cache(maxsize=256)
def _measured(file: str, rate: int) -> FloatArray:
    """A response from a file, cut to begin with its peak."""
    response = resampled(read_clip(Path(file)), rate).samples
    return response[int(np.argmax(np.abs(response))) :]
