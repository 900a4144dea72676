"""A perceptron."""

from dataclasses import dataclass
from typing import Any, ClassVar

from earwitness_classifiers._classifier import Classifier


@dataclass(frozen=True, slots=True)
class Mlp(Classifier):
    """One hidden layer of 100 rectified units under a softmax.

    P(c | z) = softmax(W2 max(0, W1 z + b1) + b2)_c, cross-entropy descended by Adam, at most 200 epochs.

    Source: Rumelhart et al. 1986, Learning representations by back-propagating errors; scikit-learn's `MLPClassifier`.
    """

    name: ClassVar[str] = "mlp"

    def model(self) -> Any:
        """The unfitted classifier."""
        from sklearn.neural_network import MLPClassifier

        return MLPClassifier(random_state=self.seed)
