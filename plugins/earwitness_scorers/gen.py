"""Generalised entropy of the softmax."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from earwitness.types import FloatArray
from earwitness_scorers.logit_rule import LogitRule
from earwitness_scorers.prototypes import log_probabilities


@dataclass(frozen=True, slots=True)
class Gen(LogitRule):
    """Unknown when the softmax is too far from certain, small probabilities counting for much.

    With p the softmax of the logits `scale` cos(z, p_c), p_c as `softmax` has it, knownness is

        -sum over the M largest p of p^g (1 - p)^g,   g = `gamma`, M = min(`top`, K).

    With one source p is always 1; then it has a rival with the least logit there is, -`scale`: so p is never under
    1/2, below which the sum would fall again.

    Source: Liu et al. 2023, GEN: Pushing the Limits of Softmax-Based Out-of-Distribution Detection, CVPR.
    """

    name: ClassVar[str] = "gen"
    gamma: float = 0.1
    top: int = 100

    def knownness(self, logits: FloatArray) -> FloatArray:
        """Minus the generalised entropy, (B, K) -> (B,)."""
        largest = np.sort(log_probabilities(logits, -self.scale), axis=1)[:, -self.top :]
        spread = (np.exp(largest) * -np.expm1(largest)) ** self.gamma  # (B, M)
        return np.asarray(-spread.sum(axis=1), np.float32)
