"""Maximum softmax probability over cosine logits."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from earwitness.types import FloatArray
from earwitness_scorers.logit_rule import LogitRule
from earwitness_scorers.prototypes import logsumexp


@dataclass(frozen=True, slots=True)
class Softmax(LogitRule):
    """Unknown when the largest softmax probability falls under the threshold.

    Logits are `scale` cos(z, p_c), p_c the unit mean of a source's rows, or with `logits` 'head' the direction that
    training learned for it, if it did for all. Knownness is the log-odds of the largest probability, log P / (1 - P) =
    v_best - log sum of exp v over the others: the same order as P, and still telling where P rounds to 1. With one
    source P is always 1; then the rival has logit 0, a cosine of 0.

    Source: Hendrycks and Gimpel 2017 (arXiv 1610.02136); cosine logits as in Wang et al. 2018 (CosFace).
    """

    name: ClassVar[str] = "softmax"

    def knownness(self, logits: FloatArray) -> FloatArray:
        """Log-odds of the largest probability, (B, K) -> (B,); against a logit of 0 when K = 1."""
        ordered = np.sort(logits, axis=1)
        rivals = ordered[:, :-1] if logits.shape[1] > 1 else np.zeros_like(logits)
        return ordered[:, -1] - logsumexp(rivals)
