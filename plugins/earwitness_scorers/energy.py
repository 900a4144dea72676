"""Free energy of the logits."""

from dataclasses import dataclass
from typing import ClassVar

from earwitness.contracts import Gallery
from earwitness.types import FloatArray, Scores, State
from earwitness_scorers.prototypes import Logits, directions, logsumexp


@dataclass(frozen=True, slots=True)
class Energy:
    """Unknown when the energy of a row, -T log sum over c of exp(f_c / T), is too high.

    Logits f_c are `scale` cos(z, p_c), with p_c as `softmax` has it; T is the `temperature`, and knownness minus the
    energy. It lies between the largest logit and that plus T log K. With one source it is the logit itself.

    Source: Liu et al. 2020, Energy-based Out-of-distribution Detection (arXiv 2010.03759).
    """

    name: ClassVar[str] = "energy"
    temperature: float = 1.0
    scale: float = 30.0
    logits: Logits = "prototypes"

    def fit(self, gallery: Gallery) -> State:
        """One unit direction a source, (K, d)."""
        return {"directions": directions(gallery, self.logits)}

    def score(self, state: State, gallery: Gallery, queries: FloatArray) -> Scores:  # noqa: ARG002
        """(B, d) -> logits (B, K), minus the energy (B,)."""
        logits = self.scale * (queries @ state["directions"].T)
        return Scores(logits, self.temperature * logsumexp(logits / self.temperature))
