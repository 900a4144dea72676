"""Genuine speech with the weak lattice of an upsampler that nobody has: a stranger that looks like a neural vocoder.

A vocoder raises frames to samples by transposed convolutions. Uneven kernels weigh every hop-th sample alike, which
leaves tones (from the biases) and a periodic gain (from the weights), both at multiples of rate / hop.

Paper: Pons, Pascual, Cengarle, Serra 2021, "Upsampling artifacts in neural audio synthesis".
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import get_window

RATES = (16_000, 22_050, 24_000)  # Hz
FACTORS = (2, 3, 4, 5, 6, 8, 10)
STAGES = (3, 6)  # at least, fewer than
HOPS = (160, 600)  # samples
KNOWN_SPACINGS_HZ = (22_050 / 256, 24_000 / 300, 24_000 / 256)  # of systems that are met: no stranger has these
UNEVENNESS = 0.2  # deviation of a kernel's weights; the lattice's strength is set apart from it
TONES_DB = (-60.0, -35.0)  # re the speech
GAIN_DEVIATIONS = (0.005, 0.05)  # 1 to 10 % of the variance
BAND_EDGES_HZ = (500.0, 6000.0)

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Upsampler:
    """A made-up vocoder's rate in Hz and the factors of its stages."""

    rate: int
    factors: tuple[int, ...]

    @property
    def hop(self) -> int:
        """Samples of a frame."""
        return int(np.prod(self.factors))

    def __str__(self) -> str:
        return f"{self.rate}/{self.hop}={'x'.join(map(str, self.factors))}"


def drawn(rng: np.random.Generator) -> Upsampler:
    """Return a random upsampler whose lattice is not a known one's."""
    while True:
        factors = rng.choice(FACTORS, size=rng.integers(*STAGES)).tolist()
        found = Upsampler(int(rng.choice(RATES)), tuple(sorted(factors, reverse=True)))
        free = not np.isclose(found.rate / found.hop, KNOWN_SPACINGS_HZ, rtol=0.01).any()
        if HOPS[0] <= found.hop <= HOPS[1] and free:
            return found


def pattern(factors: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Return what an endless constant becomes: one hop of unit deviation without mean, shape (hop,)."""
    signal = np.ones(1)
    for factor in factors:
        kernel = get_window("hann", 2 * factor) * (1 + UNEVENNESS * rng.standard_normal(2 * factor))
        raised = np.pad(signal[:, None], ((0, 0), (0, factor - 1))).ravel()  # (samples x factor,)
        folded = np.bincount(np.arange(kernel.size) % raised.size, kernel, raised.size)
        signal = np.fft.irfft(np.fft.rfft(raised) * np.fft.rfft(folded), raised.size)
    return np.asarray((signal - signal.mean()) / signal.std())


def drawn_evenly(bounds: tuple[float, float], rng: np.random.Generator, count: int) -> Array:
    """Return values between two bounds, even on a logarithmic scale, shape (count,)."""
    low, high = np.log(bounds)
    return np.exp(rng.uniform(low, high, count))


def bands(samples: Array, rate: int, rng: np.random.Generator) -> list[Array]:
    """Return samples split at two random frequencies into three bands that sum to them."""
    edges = np.sort(drawn_evenly(BAND_EDGES_HZ, rng, 2))
    content = np.fft.rfft(samples)
    place = np.searchsorted(edges, np.fft.rfftfreq(samples.size, 1 / rate))  # (bins,)
    return [np.fft.irfft(np.where(place == band, content, 0), samples.size) for band in range(len(edges) + 1)]


def vocode(samples: Array, upsampler: Upsampler, rng: np.random.Generator) -> Array:
    """Return speech at the upsampler's rate with its lattice, shape (samples,)."""
    factors, length = upsampler.factors, samples.size
    deviation = drawn_evenly(GAIN_DEVIATIONS, rng, 1)
    level = 10 ** (rng.uniform(*TONES_DB) / 20) * np.sqrt(np.mean(samples**2))
    parts = bands(samples, upsampler.rate, rng)
    speech = sum(band * (1 + deviation * np.resize(pattern(factors, rng), length)) for band in parts)
    return np.asarray(speech + level * np.resize(pattern(factors, rng), length))
