"""Trees upon trees."""

from dataclasses import dataclass
from typing import Any, ClassVar

from earwitness_classifiers._classifier import Classifier


@dataclass(frozen=True, slots=True)
class GradientBoosting(Classifier):
    """100 rounds of small trees, each fitted to what those before it leave.

    F_c = F_c + 0.1 h_c, h_c a tree of depth 3 to the gradient [y = c] - P(c | z); P is the softmax of F.

    Source: Friedman 2001, Greedy Function Approximation; scikit-learn's `GradientBoostingClassifier`.
    """

    name: ClassVar[str] = "gradient_boosting"

    def model(self) -> Any:
        """The unfitted classifier."""
        from sklearn.ensemble import GradientBoostingClassifier

        return GradientBoostingClassifier(random_state=self.seed)
