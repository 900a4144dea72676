"""One tree."""

from dataclasses import dataclass
from typing import Any, ClassVar

from earwitness_classifiers._classifier import Classifier


@dataclass(frozen=True, slots=True)
class DecisionTree(Classifier):
    """One tree, grown until every leaf is of one source.

    A split minimises the Gini impurity 1 - sum_c p_c^2 of what it parts; P(c | z) is the share of c in the leaf of z,
    which is 0 or 1.

    Source: Breiman et al. 1984, Classification and Regression Trees; scikit-learn's `DecisionTreeClassifier`.
    """

    name: ClassVar[str] = "decision_tree"

    def model(self) -> Any:
        """The unfitted classifier."""
        from sklearn.tree import DecisionTreeClassifier

        return DecisionTreeClassifier(random_state=self.seed)
