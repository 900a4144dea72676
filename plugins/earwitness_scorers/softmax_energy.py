"""Free energy of the softmax."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from earwitness.types import FloatArray
from earwitness_scorers.logit_rule import LogitRule
from earwitness_scorers.prototypes import log_probabilities


@dataclass(frozen=True, slots=True)
class SoftmaxEnergy(LogitRule):
    """Unknown when s = T log sum over c of exp(p_c / T), p the softmax of the logits, falls under the threshold.

    Logits are `scale` cos(z, p_c), with p_c as `softmax` has it; T is the `temperature`. Where one p is 1, s is at its
    bound, T log(exp(1 / T) + K - 1), and there it rounds to one number for everything that is near a source. So
    knownness is -log(bound - s): the same order, still telling. With one source p is always 1; then it has a rival
    with the least logit there is, -`scale`: so p is never under 1/2, below which s would rise again.

    Source: Klein, Tak and Khoury 2025, Open-Set Source Tracing of Audio Deepfake Systems (arXiv 2507.06470).
    """

    name: ClassVar[str] = "softmax_energy"
    temperature: float = 1.0

    def knownness(self, logits: FloatArray) -> FloatArray:
        """Minus the log of what s lacks to its bound, (B, K) -> (B,)."""
        lacking = self._lacking(np.sort(log_probabilities(logits, -self.scale), axis=1))
        return np.asarray(-np.log(np.maximum(lacking, np.finfo(np.float64).tiny)), np.float32)

    def _lacking(self, ascending: NDArray[np.float64]) -> NDArray[np.float64]:
        """The bound of s less s, (B, K) log p in ascending order -> (B,), without a difference of near numbers."""
        t = self.temperature
        best = -np.expm1(np.expm1(ascending[:, -1]) / t)  # what its term lacks, in units of exp(1 / T)
        others = np.exp(-1 / t) * np.expm1(np.exp(ascending[:, :-1]) / t).sum(axis=1)  # what theirs have over 1
        whole = 1 + (ascending.shape[1] - 1) * np.exp(-1 / t)
        return np.asarray(-t * np.log1p(-(best - others) / whole))
