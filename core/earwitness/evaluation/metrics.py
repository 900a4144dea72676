"""The metrics of open-set attribution and of forensic likelihood ratios, over plain arrays.

`known` (n,) and `unknown` (m,) are the knownness of clips of known sources and of strangers; `right` (n,) tells
which known clips have their source in the first rank. A metric without the clips it needs is NaN.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from earwitness.calibration import pav

__all__ = [
    "accuracy",
    "auroc",
    "cllr",
    "cllr_min",
    "dir_at_far",
    "ece",
    "eer",
    "fpr95",
    "macro_f1",
    "mean",
    "oscr",
    "pav",
    "squared_errors",
]

Array = NDArray[np.float64]
NAN = float("nan")


def _floats(values: ArrayLike) -> Array:
    return np.asarray(values, np.float64)


def mean(values: ArrayLike) -> float:
    """The mean of what is measured of each clip, (n,)."""
    return float(_floats(values).mean()) if np.size(values) else NAN


def accuracy(labels: ArrayLike, answers: ArrayLike) -> float:
    """The share of clips answered rightly, (n,) and (n,)."""
    return mean(np.asarray(labels) == np.asarray(answers))


def macro_f1(labels: ArrayLike, answers: ArrayLike) -> float:
    """Mean of 2TP / (2TP + FP + FN) over the classes that occur among the labels, (n,) and (n,).

    With 'unknown' as one more label and answer: the open score, over K + 1 classes. Over clips of known sources
    and their first ranks: the score over the K known alone. A class without clips has no score of its own, whatever
    was taken for it counts against the others.
    """
    truth, answer = np.asarray(labels), np.asarray(answers)
    classes = np.unique(truth)
    true, said = (np.searchsorted(classes, each) for each in (truth, answer[np.isin(answer, classes)]))
    right = np.bincount(true[truth == answer], minlength=len(classes))
    return mean(2 * right / (np.bincount(true) + np.bincount(said, minlength=len(classes))))


def auroc(known: ArrayLike, unknown: ArrayLike) -> float:
    """P(known > unknown) + half P(known = unknown)."""
    return oscr(np.ones(np.size(known), bool), known, unknown)


def oscr(right: ArrayLike, known: ArrayLike, unknown: ArrayLike) -> float:
    """Area of CCR(t) = share of known clips right and >= t, against FPR(t) = share of strangers >= t.

    By trapezoids, which is the share of (known, stranger) pairs with the known right and above, ties counted half.
    Source: Dhamija, Guenther and Boult 2018 (arXiv 1811.04110).
    """
    scores, strangers = _floats(known), np.sort(_floats(unknown))
    if not scores.size or not strangers.size:
        return NAN
    below = np.searchsorted(strangers, scores, side="left")
    upto = np.searchsorted(strangers, scores, side="right")
    return float(np.where(right, below + upto, 0).mean() / (2 * strangers.size))


def fpr95(known: ArrayLike, unknown: ArrayLike) -> float:
    """The share of strangers accepted at the highest threshold that accepts 95 % of known clips."""
    scores, strangers = np.sort(_floats(known))[::-1], _floats(unknown)
    if not scores.size or not strangers.size:
        return NAN
    threshold = scores[int(np.ceil(0.95 * scores.size - 1e-9)) - 1]
    return float((strangers >= threshold).mean())


def dir_at_far(right: ArrayLike, known: ArrayLike, unknown: ArrayLike, far: float) -> float:
    """The share of known clips right and accepted, where at most a share `far` of the strangers is accepted."""
    scores, strangers = _floats(known), np.sort(_floats(unknown))[::-1]
    if not scores.size or not strangers.size:
        return NAN
    passing = int(np.floor(far * strangers.size + 1e-9))
    bound = strangers[passing] if passing < strangers.size else -np.inf
    return float((np.asarray(right, bool) & (scores > bound)).mean())


def eer(positive: ArrayLike, negative: ArrayLike) -> float:
    """The rate at which misses of positives equal false alarms of negatives, interpolated between thresholds."""
    same, other = np.sort(_floats(positive)), np.sort(_floats(negative))
    if not same.size or not other.size:
        return NAN
    thresholds = np.append(np.unique(np.concatenate([same, other])), np.inf)
    misses = np.searchsorted(same, thresholds, side="left") / same.size  # rises from 0 to 1
    alarms = 1 - np.searchsorted(other, thresholds, side="left") / other.size  # falls from 1 to 0
    gap = misses - alarms
    after = int(np.argmax(gap >= 0))
    share = -gap[after - 1] / (gap[after] - gap[after - 1])
    return float(misses[after - 1] + share * (misses[after] - misses[after - 1]))


def cllr(same: ArrayLike, different: ArrayLike) -> float:
    """1/2 [mean log2(1 + 1/LR) over same + mean log2(1 + LR) over different]; both given as log10 LR.

    Source: Bruemmer and du Preez 2006 (Computer Speech and Language 20).
    """
    alike, other = (_floats(each) * np.log(10) for each in (same, different))
    if not alike.size or not other.size:
        return NAN
    return float((np.logaddexp(0, -alike).mean() + np.logaddexp(0, other).mean()) / (2 * np.log(2)))


def cllr_min(same: ArrayLike, different: ArrayLike) -> float:
    """Cllr after the best monotone map of the scores, by pool-adjacent-violators; what discrimination alone costs."""
    alike, other = _floats(same), _floats(different)
    if not alike.size or not other.size:
        return NAN
    scores = np.concatenate([alike, other])
    weights = np.repeat([0.5 / alike.size, 0.5 / other.size], [alike.size, other.size])
    truths = np.repeat([1.0, 0.0], [alike.size, other.size])
    posterior = pav(scores, truths, weights)
    chosen = np.where(truths == 1, posterior, 1 - posterior)
    return float(-(weights @ np.log2(chosen)))


def ece(confidence: ArrayLike, right: ArrayLike, bins: int = 15) -> float:
    """Expected calibration error: |accuracy - mean confidence| over bins of equal width, weighed by their clips."""
    stated, true = _floats(confidence), _floats(right)
    if not stated.size:
        return NAN
    index = np.clip(np.ceil(stated * bins).astype(int) - 1, 0, bins - 1)  # (low, high]
    gaps = np.bincount(index, true - stated, minlength=bins)
    return float(np.abs(gaps).sum() / stated.size)


def squared_errors(probabilities: ArrayLike, labels: ArrayLike) -> Array:
    """Squared distance of each clip's probabilities (n, C) from its truth (n,), 0 to 2; their mean is the Brier score.

    Source: Brier 1950 (Monthly Weather Review 78).
    """
    stated = _floats(probabilities)
    truth = np.asarray(labels)[:, None] == np.arange(stated.shape[1])
    return np.asarray(np.square(stated - truth).sum(axis=1))
