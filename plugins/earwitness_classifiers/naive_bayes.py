"""Independent columns."""

from dataclasses import dataclass
from typing import Any, ClassVar

from earwitness_classifiers._classifier import Classifier


@dataclass(frozen=True, slots=True)
class NaiveBayes(Classifier):
    """A Gaussian a source and column, as if columns were independent.

    P(c | z) ~ n_c prod_j N(z_j; mu_cj, s_cj^2). Nothing in it is left to chance, so `seed` changes nothing.

    Source: Duda and Hart 1973, Pattern Classification; scikit-learn's `GaussianNB`.
    """

    name: ClassVar[str] = "naive_bayes"

    def model(self) -> Any:
        """The unfitted classifier."""
        from sklearn.naive_bayes import GaussianNB

        return GaussianNB()
