"""`stats`: mean and deviation of every feature over the frames, nothing learned."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from earwitness.types import FloatArray


@dataclass(frozen=True, slots=True)
class Stats:
    """Statistics pooling alone: e = [m, s],  m_d = mean_t x_td,  s_d^2 = mean_t (x_td - m_d)^2.

    The pooling layer of the x-vector (Snyder et al., X-vectors: robust DNN embeddings for speaker
    recognition, ICASSP 2018) without a network around it. Sums are taken in float64, for a deviation
    that survives a large mean.
    """

    name: ClassVar[str] = "stats"

    def __call__(self, features: FloatArray) -> FloatArray:
        """(B, frames, dims) -> (B, 2 dims)."""
        mean = features.mean(axis=1, dtype=np.float64)
        deviation = features.std(axis=1, dtype=np.float64)
        return np.concatenate([mean, deviation], axis=1).astype(np.float32)
