"""Generalised entropy of the softmax."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from earwitness.contracts import Gallery
from earwitness.types import FloatArray, Scores, State
from earwitness_scorers.prototypes import Logits, directions, log_probabilities


@dataclass(frozen=True, slots=True)
class Gen:
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
    scale: float = 30.0
    logits: Logits = "prototypes"

    def fit(self, gallery: Gallery) -> State:
        """One unit direction a source, (K, d)."""
        return {"directions": directions(gallery, self.logits)}

    def score(self, state: State, gallery: Gallery, queries: FloatArray) -> Scores:  # noqa: ARG002
        """(B, d) -> logits (B, K), minus the generalised entropy (B,)."""
        logits = self.scale * (queries @ state["directions"].T)
        largest = np.sort(log_probabilities(logits, -self.scale), axis=1)[:, -self.top :]
        spread = (np.exp(largest) * -np.expm1(largest)) ** self.gamma  # (B, M)
        return Scores(logits, -spread.sum(axis=1).astype(np.float32))
