"""Maximum softmax probability over cosine logits."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from earwitness.contracts import Gallery
from earwitness.types import FloatArray, Scores, State
from earwitness_scorers.prototypes import Logits, directions, logsumexp


@dataclass(frozen=True, slots=True)
class Softmax:
    """Unknown when the largest softmax probability falls under the threshold.

    Logits are `scale` cos(z, p_c), p_c the unit mean of a source's rows, or with `logits` 'head' the direction that
    training learned for it, if any. Knownness is the log-odds of the largest probability, log P / (1 - P) = v_best -
    log sum of exp v over the others: the same order as P, and still telling where P rounds to 1. With one source P is
    always 1; then the rival has logit 0, a cosine of 0.

    Source: Hendrycks and Gimpel 2017 (arXiv 1610.02136); cosine logits as in Wang et al. 2018 (CosFace).
    """

    name: ClassVar[str] = "softmax"
    scale: float = 30.0
    logits: Logits = "prototypes"

    def fit(self, gallery: Gallery) -> State:
        """One unit direction a source, (K, d)."""
        return {"directions": directions(gallery, self.logits)}

    def score(self, state: State, gallery: Gallery, queries: FloatArray) -> Scores:  # noqa: ARG002
        """(B, d) -> logits (B, K), log-odds (B,)."""
        logits = self.scale * (queries @ state["directions"].T)
        return Scores(logits, log_odds(logits))


def log_odds(logits: FloatArray) -> FloatArray:
    """Log-odds of the largest softmax probability, (B, K) -> (B,); against a logit of 0 when K = 1."""
    ordered = np.sort(logits, axis=1)
    rivals = ordered[:, :-1] if logits.shape[1] > 1 else np.zeros_like(logits)
    return ordered[:, -1] - logsumexp(rivals)
