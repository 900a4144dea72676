"""A linear softmax."""

from dataclasses import dataclass
from typing import Any, ClassVar

from earwitness_classifiers._classifier import Classifier


@dataclass(frozen=True, slots=True)
class LogisticRegression(Classifier):
    """A hyperplane a source, with an L2 penalty of weight 1.

    P(c | z) = softmax(W z + b)_c, W and b the minimum of |W|^2 / 2 - sum_i log P(y_i | z_i).

    Source: Cox 1958, The regression analysis of binary sequences; scikit-learn's `LogisticRegression`.
    """

    name: ClassVar[str] = "logistic_regression"

    def model(self) -> Any:
        """The unfitted classifier."""
        from sklearn.linear_model import LogisticRegression as Regression

        return Regression(random_state=self.seed)
