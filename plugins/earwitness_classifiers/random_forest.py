"""A forest of trees."""

from dataclasses import dataclass
from typing import Any, ClassVar

from earwitness_classifiers._classifier import Classifier


@dataclass(frozen=True, slots=True)
class RandomForest(Classifier):
    """The mean of 100 trees, each grown on rows and columns drawn by chance.

    P(c | z) = mean over trees of the share of c in the leaf of z.

    Source: Breiman 2001, Random Forests; scikit-learn's `RandomForestClassifier`.
    """

    name: ClassVar[str] = "random_forest"

    def model(self) -> Any:
        """The unfitted classifier."""
        from sklearn.ensemble import RandomForestClassifier

        return RandomForestClassifier(random_state=self.seed)
