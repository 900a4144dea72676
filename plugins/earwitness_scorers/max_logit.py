"""The largest logit."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from earwitness.types import FloatArray
from earwitness_scorers.logit_rule import LogitRule


@dataclass(frozen=True, slots=True)
class MaxLogit(LogitRule):
    """Unknown when the largest logit falls under the threshold, whatever the others are.

    Logits f_c are `scale` cos(z, p_c), with p_c as `softmax` has it; knownness is max over c of f_c. What a softmax
    divides away, how near the nearest source is, stays: so two sources alike don't make a clip of either a stranger.

    Source: Hendrycks et al. 2022, Scaling Out-of-Distribution Detection for Real-World Settings (arXiv 1911.11132);
    Vaze et al. 2022, Open-Set Recognition: A Good Closed-Set Classifier is All You Need (arXiv 2110.06207).
    """

    name: ClassVar[str] = "max_logit"

    def knownness(self, logits: FloatArray) -> FloatArray:
        """The largest logit, (B, K) -> (B,)."""
        return np.asarray(logits.max(axis=1))
