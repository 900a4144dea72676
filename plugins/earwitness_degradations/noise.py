"""`noise`: the hiss and rumble of rooms, amplifiers and converters."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from earwitness.types import FloatArray


@dataclass(frozen=True, slots=True)
class Noise:
    """Add stationary Gaussian noise whose power falls as 1 / f^slope.

    y = x + s e,  s chosen so that 10 log10(mean x^2 / mean (s e)^2) is the ratio drawn. Slope 0 is white, 1
    pink, 2 brown; the shaping is done on the noise's spectrum, with nothing at 0 Hz. Silence stays silence.

    Args:
        ratio: The lowest and highest signal-to-noise ratio in dB over the whole clip.
        slope: The lowest and highest exponent of the noise's power spectrum.
        probability: How often it happens at all.
    """

    name: ClassVar[str] = "noise"
    ratio: tuple[float, float] = (25.0, 50.0)
    slope: tuple[float, float] = (0.0, 2.0)
    probability: float = 1.0

    def __call__(self, samples: FloatArray, rate: int, rng: np.random.Generator) -> FloatArray:  # noqa: ARG002
        """(n,) -> (n,)."""
        if rng.random() >= self.probability or not samples.size:
            return samples
        ratio, slope = rng.uniform(*self.ratio), rng.uniform(*self.slope)
        noise = _coloured(len(samples), slope, rng)
        power = np.mean(np.square(samples, dtype=np.float64)) / np.mean(np.square(noise))
        scale = math.sqrt(power / 10.0 ** (ratio / 10.0))
        return samples + (scale * noise).astype(np.float32)


def _coloured(count: int, slope: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Gaussian noise of power 1 / f^slope, (count,); drawn at a length that transforms fast, then cut."""
    spectrum = np.fft.rfft(rng.standard_normal(1 << count.bit_length()))
    spectrum[0] = 0.0
    spectrum[1:] *= np.arange(1, len(spectrum)) ** (-slope / 2.0)
    return np.fft.irfft(spectrum)[:count]
