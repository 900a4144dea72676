"""What the plots of an evaluation show, as plain arrays; each curve runs over every threshold there is.

`known` (n,) and `unknown` (m,) are scores of clips of known sources and of strangers, as in `metrics`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from earwitness.evaluation.metrics import macro_f1
from earwitness.fusion import STRANGER

__all__ = ["Reliability", "at_least", "oscr_curve", "reliability", "sweep"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reliability:
    """Of each bin of confidence that holds answers: their mean `stated` confidence, the share `right`, the `count`."""

    stated: Array
    right: Array
    count: NDArray[np.int64]


def at_least(scores: ArrayLike, thresholds: ArrayLike) -> Array:
    """The share of scores (n,) that reach each threshold (t,), (t,): one line of a Tippett plot; 0 of no scores."""
    ordered = np.sort(np.asarray(scores, np.float64))
    reaching = len(ordered) - np.searchsorted(ordered, thresholds, side="left")
    return np.asarray(reaching / max(1, len(ordered)))


def oscr_curve(right: ArrayLike, known: ArrayLike, unknown: ArrayLike) -> tuple[Array, Array]:
    """FPR(t), the share of strangers >= t, and CCR(t), the share of known clips right and >= t; t falls.

    With every known clip right it is the ROC curve; (FPR, 1 - CCR) is then the DET curve.
    Source: Dhamija, Guenther and Boult 2018 (arXiv 1811.04110).
    """
    scores, strangers, true = np.asarray(known, np.float64), np.asarray(unknown, np.float64), np.asarray(right, bool)
    thresholds = np.append(np.inf, np.unique(np.concatenate([scores, strangers]))[::-1])
    named = at_least(scores[true], thresholds) * true.sum() / max(1, len(scores))
    return at_least(strangers, thresholds), named


def reliability(confidence: ArrayLike, right: ArrayLike, bins: int = 15) -> Reliability:
    """How often answers are right by the confidence stated, (n,) and (n,), in the bins of `metrics.ece`."""
    stated, true = np.asarray(confidence, np.float64), np.asarray(right, np.float64)
    index = np.clip(np.ceil(stated * bins).astype(int) - 1, 0, bins - 1)
    count = np.bincount(index, minlength=bins)
    held = count > 0
    means = [np.bincount(index, each, minlength=bins)[held] / count[held] for each in (stated, true)]
    return Reliability(means[0], means[1], count[held])


def sweep(labels: ArrayLike, first: ArrayLike, knownness: ArrayLike, points: int = 101) -> tuple[Array, Array]:
    """Macro-F1 over K + 1 at every threshold, against the share of clips that fall under it.

    Rules score on scales of their own; what they have in common is how many clips they turn away.

    Args:
        labels: (n,) the true source, STRANGER for none.
        first: (n,) the source that the rule ranks first.
        knownness: (n,) what the threshold is held against.
        points: how many thresholds.

    Returns:
        Shares called unknown and macro-F1, each (points,).
    """
    scores = np.asarray(knownness, np.float64)
    thresholds = np.append(np.quantile(scores, np.linspace(0, 1, points - 1), method="higher"), np.inf)
    f1 = [macro_f1(labels, np.where(scores >= threshold, first, STRANGER)) for threshold in thresholds]
    return 1 - at_least(scores, thresholds), np.array(f1)
