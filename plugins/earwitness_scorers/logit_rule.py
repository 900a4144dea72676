"""What the rules that read nothing but logits share."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from earwitness.contracts import Gallery
from earwitness.types import FloatArray, Scores, State
from earwitness_scorers.prototypes import Logits, directions


@dataclass(frozen=True, slots=True)
class LogitRule(ABC):
    """Values are the logits f_c = `scale` cos(z, p_c), of which `knownness` is made.

    p_c is the unit mean of a source's rows, or with `logits` 'head', while training learned one for each
    source, the direction learned.
    """

    scale: float = 30.0
    logits: Logits = "prototypes"

    def fit(self, gallery: Gallery) -> State:
        """One unit direction a source, (K, d)."""
        return {"directions": directions(gallery, self.logits)}

    def score(self, state: State, gallery: Gallery, queries: FloatArray) -> Scores:  # noqa: ARG002
        """(B, d) -> logits (B, K), knownness (B,)."""
        logits = self.scale * (queries @ state["directions"].T)
        return Scores(logits, self.knownness(logits))

    @abstractmethod
    def knownness(self, logits: FloatArray) -> FloatArray:
        """Logits (B, K) -> (B,)."""
