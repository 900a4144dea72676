"""`offset`: the constant that cheap converters add."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from earwitness.types import FloatArray


@dataclass(frozen=True, slots=True)
class Offset:
    """Add a constant: y = x + c,  c ~ U(-limit, limit).

    Args:
        limit: The largest offset, as a share of full scale.
    """

    name: ClassVar[str] = "offset"
    limit: float = 0.01

    def __call__(self, samples: FloatArray, rate: int, rng: np.random.Generator) -> FloatArray:  # noqa: ARG002
        """(n,) -> (n,)."""
        return samples + np.float32(rng.uniform(-self.limit, self.limit))
