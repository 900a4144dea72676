"""What headsets and phones do to the level of sound over time: gain control, gating, noise suppression."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from earwitness.types import FloatArray

BLOCK = 0.01  # s: levels are followed in steps of it
FRAME = 512


@dataclass(frozen=True, slots=True)
class GainControl:
    """Automatic gain: a level follower with two time constants, and the gain that brings it to `target`.

    The follower begins at the median, as if the sound had gone on before.

    Args:
        target: Level in dB of full scale that speech is brought to.
        most: The largest gain or loss in dB.
        attack: Seconds in which the follower rises by 1 - 1/e.
        release: Seconds in which it falls likewise.
        floor: Level in dB under which the follower holds, so that pauses aren't raised to the level of speech.
    """

    target: float
    most: float
    attack: float
    release: float
    floor: float

    def __call__(self, samples: FloatArray, rate: int) -> FloatArray:
        """(n,) -> (n,)."""
        levels = _levels(samples, rate)
        loud = levels > self.floor
        start = float(np.median(levels[loud])) if loud.any() else self.target
        followed = _follow(np.where(loud, levels, np.nan), start, self.attack, self.release)
        return _scaled(samples, np.clip(self.target - followed, -self.most, self.most), rate)


@dataclass(frozen=True, slots=True)
class Gate:
    """A noise gate: what stays under `threshold` dB sinks by `depth` dB, after `release` seconds."""

    threshold: float
    depth: float
    release: float

    def __call__(self, samples: FloatArray, rate: int) -> FloatArray:
        """(n,) -> (n,)."""
        wanted = np.where(_levels(samples, rate) > self.threshold, 0.0, -self.depth)
        return _scaled(samples, _follow(wanted, 0.0, BLOCK, self.release), rate)


@dataclass(frozen=True, slots=True)
class Suppressor:
    """Spectral suppression of steady noise (Boll 1979, the power rule): g = max(1 - margin N / P, 10^(-depth / 20)).

    P is the power of a bin and N the mean power of its noise, read off a low `quantile` q of P over the clip's frames:
    the power of Gaussian noise is exponential, so that N = -Q(q) / log(1 - q). Frames of 512 samples overlap by half
    under square-root Hann windows.
    """

    depth: float
    margin: float = 2.0
    quantile: float = 0.15

    def __call__(self, samples: FloatArray, rate: int) -> FloatArray:  # noqa: ARG002
        """(n,) -> (n,)."""
        hop, count = FRAME // 2, -(-len(samples) // (FRAME // 2)) + 1  # frames
        padded = np.pad(samples, (hop, count * hop - len(samples)))
        window = np.sqrt(0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(FRAME) / FRAME)).astype(np.float32)
        spectra = np.fft.rfft(np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::hop] * window)
        power = np.square(spectra.real) + np.square(spectra.imag)  # (frames, bins)
        rank = int(self.quantile * len(power))
        noise = np.partition(power, rank, axis=0)[rank] / -np.log1p(-self.quantile)
        gains = np.maximum(1.0 - self.margin * noise / (power + np.float32(1e-20)), 10.0 ** (-self.depth / 20.0))
        frames = np.fft.irfft(spectra * gains, FRAME).astype(np.float32) * window
        joined = np.zeros((count + 1, hop), np.float32)
        joined[:-1] += frames[:, :hop]
        joined[1:] += frames[:, hop:]
        return joined.reshape(-1)[hop : hop + len(samples)]


def soft_clip(samples: FloatArray, limit: float) -> FloatArray:
    """An amplifier's saturation, limit tanh(x / limit)."""
    return np.asarray(limit * np.tanh(samples / np.float32(limit)), np.float32)


def quantise(samples: FloatArray, bits: int) -> FloatArray:
    """Rounded to the nearest of 2^bits steps and cut at full scale."""
    steps = np.float32(1 << (bits - 1))
    return np.asarray(np.clip(np.rint(samples * steps), -steps, steps - 1) / steps, np.float32)


def _levels(samples: FloatArray, rate: int) -> NDArray[np.float64]:
    """The level of each block in dB of full scale, (blocks,)."""
    size = max(1, round(BLOCK * rate))
    starts = np.arange(0, len(samples), size)
    power = np.add.reduceat(np.square(samples), starts) / size
    return 10.0 * np.log10(power.astype(np.float64) + 1e-12)


def _follow(values: NDArray[np.float64], state: float, rise: float, fall: float) -> NDArray[np.float64]:
    """One pole each way over blocks; NaN holds."""
    faster, slower = 1.0 - np.exp(-BLOCK / rise), 1.0 - np.exp(-BLOCK / fall)
    path = []
    for value in values.tolist():
        if value == value:
            state += (faster if value > state else slower) * (value - state)
        path.append(state)
    return np.array(path)


def _scaled(samples: FloatArray, decibels: NDArray[np.float64], rate: int) -> FloatArray:
    """Times a gain given for each block, linear between blocks."""
    places = (np.arange(len(decibels)) + 0.5) * max(1, round(BLOCK * rate))
    gains = np.interp(np.arange(len(samples)), places, 10.0 ** (decibels / 20.0))
    return samples * gains.astype(np.float32)
