"""The largest logit."""

from dataclasses import dataclass
from typing import ClassVar

from earwitness.contracts import Gallery
from earwitness.types import FloatArray, Scores, State
from earwitness_scorers.prototypes import Logits, directions


@dataclass(frozen=True, slots=True)
class MaxLogit:
    """Unknown when the largest logit falls under the threshold, whatever the others are.

    Logits f_c are `scale` cos(z, p_c), with p_c as `softmax` has it; knownness is max over c of f_c. What a softmax
    divides away, how near the nearest source is, stays: so two sources alike don't make a clip of either a stranger.

    Source: Hendrycks et al. 2022, Scaling Out-of-Distribution Detection for Real-World Settings (arXiv 1911.11132);
    Vaze et al. 2022, Open-Set Recognition: A Good Closed-Set Classifier is All You Need (arXiv 2110.06207).
    """

    name: ClassVar[str] = "max_logit"
    scale: float = 30.0
    logits: Logits = "prototypes"

    def fit(self, gallery: Gallery) -> State:
        """One unit direction a source, (K, d)."""
        return {"directions": directions(gallery, self.logits)}

    def score(self, state: State, gallery: Gallery, queries: FloatArray) -> Scores:  # noqa: ARG002
        """(B, d) -> logits (B, K), the largest of each row (B,)."""
        logits = self.scale * (queries @ state["directions"].T)
        return Scores(logits, logits.max(axis=1))
