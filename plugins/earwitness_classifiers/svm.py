"""Support vectors."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from earwitness.types import FloatArray
from earwitness_classifiers._classifier import Classifier


@dataclass(frozen=True, slots=True)
class Svm(Classifier):
    """A margin in the space of a Gaussian kernel, one source against another.

    f(z) = sum_i a_i y_i exp(-g |z - z_i|^2) + b of each pair of sources; votes, and confidences within a vote, make a
    figure f_c a source. Support vectors state no probability: P(c | z) is the softmax of these figures.

    Source: Cortes and Vapnik 1995, Support-vector networks; scikit-learn's `SVC` (C = 1, g by the rows' variance).
    """

    name: ClassVar[str] = "svm"

    def model(self) -> Any:
        """The unfitted classifier."""
        from sklearn.svm import SVC

        return SVC(random_state=self.seed)

    def options(self) -> dict[str, bool]:
        """The figures themselves, as one array."""
        return {"zipmap": False, "raw_scores": True}

    def probabilities(self, output: FloatArray) -> FloatArray:
        """Figures (B, C) -> their softmax (B, C)."""
        shares = np.exp(output - output.max(axis=1, keepdims=True))
        return np.asarray(shares / shares.sum(axis=1, keepdims=True))
