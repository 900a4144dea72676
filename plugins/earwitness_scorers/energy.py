"""Free energy of the logits."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from earwitness.types import FloatArray
from earwitness_scorers.logit_rule import LogitRule
from earwitness_scorers.prototypes import logsumexp


@dataclass(frozen=True, slots=True)
class Energy(LogitRule):
    """Unknown when the energy of a row, -T log sum over c of exp(f_c / T), is too high.

    Logits f_c are `scale` cos(z, p_c), with p_c as `softmax` has it; T is the `temperature`, and knownness minus the
    energy. It lies between the largest logit and that plus T log K. With one source it is the logit itself.

    Source: Liu et al. 2020, Energy-based Out-of-distribution Detection (arXiv 2010.03759).
    """

    name: ClassVar[str] = "energy"
    temperature: float = 1.0

    def knownness(self, logits: FloatArray) -> FloatArray:
        """Minus the energy, (B, K) -> (B,)."""
        return np.asarray(self.temperature * logsumexp(logits / self.temperature))
