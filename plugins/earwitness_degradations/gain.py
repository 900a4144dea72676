"""`gain`: another recording level."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from earwitness.types import FloatArray


@dataclass(frozen=True, slots=True)
class Gain:
    """Multiply by a gain drawn evenly in decibels.

    y = 10^(g / 20) x,  g ~ U(decibels). Nothing is clipped: a level is no limiter.

    Args:
        decibels: The lowest and highest gain in dB.
    """

    name: ClassVar[str] = "gain"
    decibels: tuple[float, float] = (-12.0, 12.0)

    def __call__(self, samples: FloatArray, rate: int, rng: np.random.Generator) -> FloatArray:  # noqa: ARG002
        """(n,) -> (n,)."""
        factor = 10.0 ** (rng.uniform(*self.decibels) / 20.0)
        return samples * np.float32(factor)
