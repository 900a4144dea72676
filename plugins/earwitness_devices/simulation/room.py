"""`room`: the reverberation of a place, drawn or measured."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from earwitness.audio import read_clip, resampled
from earwitness.types import FloatArray
from earwitness_devices.simulation._curves import on_frequencies, smooth
from earwitness_devices.simulation._transform import convolve, fast_length, gaussian

ROOM = 4  # keeps this stream of chance apart


@dataclass(frozen=True, slots=True)
class Room:
    """Convolve with a room's impulse response, in time with the direct sound and at the level of the input.

    h(t) = d(t) + g (r(t) + 10^(-3 t / T) e(t) + 10^(-3 t / S) f(t)): the direct sound, a few early reflections within
    40 ms, and Gaussian noises e and f under exponential decays by 60 dB in T and in S < T seconds (Polack 1988), each
    with a smooth colour of its own, so that some frequencies ring longer than others; g sets the ratio of direct to
    reverberant energy.

    Args:
        reverberation: The shortest and longest T in seconds, drawn by ratio.
        direct: The least and greatest ratio of direct to reverberant energy in dB: at 0 the critical distance, far
            beyond it below.
        seed: Number of a room that stays the same; none draws another in each call.
        file: A measured response to use instead, mono at any rate.
    """

    name: ClassVar[str] = "room"
    reverberation: tuple[float, float] = (0.1, 3.0)
    direct: tuple[float, float] = (-15.0, 18.0)
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
        decay = float(np.exp(rng.uniform(*np.log(self.reverberation))))
        tail = _ringing(decay, decay, rate, rng) + _ringing(decay, decay * rng.uniform(0.3, 1.0), rate, rng)
        places = rng.uniform(0.001, 0.04, 8)
        echoes = rng.choice((-1.0, 1.0), 8) * rng.uniform(2.0, 8.0, 8) * 10.0 ** (-3.0 * places / decay)
        early = np.round(places * rate).astype(np.int64)
        np.add.at(tail, early[early < len(tail)], echoes[early < len(tail)])
        energy = float(np.sum(np.square(tail))) * 10.0 ** (rng.uniform(*self.direct) / 10.0)
        tail /= np.sqrt(energy)
        tail[0] += 1.0
        return tail.astype(np.float32)


def _ringing(seconds: float, decay: float, rate: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Coloured noise that falls by 60 dB in `decay` seconds, (m,)."""
    count = round(seconds * rate) + 1
    length = fast_length(count)
    colour = 10.0 ** (on_frequencies(smooth(rng, 3.0), np.fft.rfftfreq(length, 1.0 / rate)) / 20.0)
    noise = np.fft.irfft(gaussian(len(colour), rng) * colour, length)[:count] * np.sqrt(0.5 * length)
    return np.asarray(noise * 10.0 ** (-3.0 * np.arange(count) / (rate * decay)))


@lru_cache(maxsize=256)
def _measured(file: str, rate: int) -> FloatArray:
    """A response from a file, cut to begin with its peak."""
    response = resampled(read_clip(Path(file)), rate).samples
    return response[int(np.argmax(np.abs(response))) :]
