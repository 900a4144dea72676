"""Classifiers of scikit-learn as rules over what is enrolled, one file each."""

from collections.abc import Iterable
from importlib.resources import files

import pluggy

from earwitness.contracts import Scorer
from earwitness_classifiers.decision_tree import DecisionTree
from earwitness_classifiers.gradient_boosting import GradientBoosting
from earwitness_classifiers.logistic_regression import LogisticRegression
from earwitness_classifiers.mlp import Mlp
from earwitness_classifiers.naive_bayes import NaiveBayes
from earwitness_classifiers.random_forest import RandomForest
from earwitness_classifiers.svm import Svm

__all__ = [
    "DecisionTree",
    "GradientBoosting",
    "LogisticRegression",
    "Mlp",
    "NaiveBayes",
    "RandomForest",
    "Svm",
]

hookimpl = pluggy.HookimplMarker("earwitness")


@hookimpl
def register_scorers() -> Iterable[type[Scorer]]:
    """The classifiers of this package; fitting needs the extra 'train', answering does not."""
    return [Svm, Mlp, RandomForest, GradientBoosting, LogisticRegression, NaiveBayes, DecisionTree]


@hookimpl
def register_pipelines() -> Iterable[str]:
    """The eight classifiers of device identification over pooled cepstra, as YAML texts."""
    folder = files("earwitness_classifiers") / "pipelines"
    return [file.read_text("utf-8") for file in sorted(folder.iterdir(), key=lambda file: file.name)]
