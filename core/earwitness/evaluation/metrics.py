"""The metrics of open-set attribution and of forensic likelihood ratios, over plain arrays.

`known` (n,) and `unknown` (m,) are the knownness of clips of known sources and of strangers; `right` (n,) tells
which known clips have their source in the first rank. A metric without the clips it needs is NaN.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "accuracy",
    "auroc",
    "bootstrap",
    "brier",
    "cllr",
    "cllr_min",
    "coverage",
    "dir_at_far",
    "ece",
    "eer",
    "fpr95",
    "macro_f1",
    "oscr",
    "pav",
]

Array = NDArray[np.float64]
NAN = float("nan")


def _floats(values: ArrayLike) -> Array:
    return np.asarray(values, np.float64)


def accuracy(labels: ArrayLike, answers: ArrayLike) -> float:
    """The share of clips answered rightly, (n,) and (n,)."""
    truth = np.asarray(labels)
    return float((truth == np.asarray(answers)).mean()) if truth.size else NAN


def macro_f1(labels: ArrayLike, answers: ArrayLike) -> float:
    """Mean of 2TP / (2TP + FP + FN) over the classes that occur among labels or answers, (n,) and (n,).

    With 'unknown' as one more label and answer: the open score, over K + 1 classes. Over clips of known sources
    and their first ranks: the score over the K known alone.
    """
    truth, answer = np.asarray(labels), np.asarray(answers)
    if not truth.size:
        return NAN
    scores = [
        2 * np.sum((truth == each) & (answer == each)) / (np.sum(truth == each) + np.sum(answer == each))
        for each in np.union1d(truth, answer)
    ]
    return float(np.mean(scores))


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


def pav(scores: ArrayLike, targets: ArrayLike, weights: ArrayLike) -> Array:
    """Isotonic regression of targets on scores, all (n,), by pool-adjacent-violators; equal scores get one value."""
    _, level = np.unique(_floats(scores), return_inverse=True)
    mass = np.bincount(level, _floats(weights))
    sums = np.bincount(level, _floats(weights) * _floats(targets))
    blocks: list[tuple[float, float, int]] = []  # mass, sum, levels
    for block in zip(mass, sums, np.ones(len(mass), int), strict=True):
        while blocks and blocks[-1][1] * block[0] >= block[1] * blocks[-1][0]:
            last = blocks.pop()
            block = (last[0] + block[0], last[1] + block[1], last[2] + block[2])
        blocks.append(block)
    fitted = np.repeat([total / weight for weight, total, _ in blocks], [size for _, _, size in blocks])
    return np.asarray(fitted[level])


def ece(confidence: ArrayLike, right: ArrayLike, bins: int = 15) -> float:
    """Expected calibration error: |accuracy - mean confidence| over bins of equal width, weighed by their clips."""
    stated, true = _floats(confidence), _floats(right)
    if not stated.size:
        return NAN
    index = np.clip(np.ceil(stated * bins).astype(int) - 1, 0, bins - 1)  # (low, high]
    gaps = np.bincount(index, true - stated, minlength=bins)
    return float(np.abs(gaps).sum() / stated.size)


def brier(probabilities: ArrayLike, labels: ArrayLike) -> float:
    """Mean squared distance of the probabilities (n, C) from the truth (n,), 0 to 2."""
    stated = _floats(probabilities)
    truth = np.asarray(labels)[:, None] == np.arange(stated.shape[1])
    return float(np.square(stated - truth).sum(axis=1).mean()) if len(stated) else NAN


def coverage(sets: ArrayLike, labels: ArrayLike) -> tuple[float, float]:
    """The share of known clips whose prediction set (n, K) holds the truth (n,), and the mean size of the sets."""
    held = np.asarray(sets, bool)
    if not len(held):
        return NAN, NAN
    return float(held[np.arange(len(held)), np.asarray(labels)].mean()), float(held.sum(axis=1).mean())


def bootstrap(
    statistic: Callable[[NDArray[np.int64]], float],
    levels: Sequence[ArrayLike],
    strata: ArrayLike | None = None,
    count: int = 1000,
    seed: int = 0,
    share: float = 0.95,
) -> tuple[float, float]:
    """An interval of a statistic that holds for other sources and speakers, not only for other clips of these.

    Groups are drawn with replacement level by level: sources, then speakers within a drawn source; a drawn group
    of the last level brings all its clips (Davison and Hinkley 1997, 3.8).

    Args:
        statistic: of the numbers of the clips drawn; NaN where a draw doesn't bear it, which is left out.
        levels: outermost first, the group of each clip, each (n,).
        strata: (n,), such as known or unknown; each is drawn for itself, so none is ever missing.
        count: how many draws.
        seed: of the draws.
        share: what the interval holds.

    Returns:
        The lower and the upper end, NaN when no draw bears the statistic.
    """
    rng = np.random.default_rng(seed)
    groups = [np.asarray(each) for each in levels]
    size = len(groups[0])
    parts = _parts(np.arange(size), np.zeros(size) if strata is None else np.asarray(strata))
    trees = [_tree(part, groups) for part in parts]
    drawn = [statistic(np.concatenate([_draw(tree, rng) for tree in trees])) for _ in range(count)]
    borne = [value for value in drawn if not np.isnan(value)]
    if not borne:
        return NAN, NAN
    low, high = np.quantile(borne, [(1 - share) / 2, (1 + share) / 2])
    return float(low), float(high)


Tree = NDArray[np.int64] | list["Tree"]


def _parts(rows: NDArray[np.int64], group: NDArray[np.generic]) -> list[NDArray[np.int64]]:
    return [rows[group[rows] == name] for name in np.unique(group[rows])]


def _tree(rows: NDArray[np.int64], groups: list[NDArray[np.generic]]) -> Tree:
    return [_tree(part, groups[1:]) for part in _parts(rows, groups[0])] if groups else rows


def _draw(tree: Tree, rng: np.random.Generator) -> NDArray[np.int64]:
    if isinstance(tree, np.ndarray):
        return tree
    return np.concatenate([_draw(tree[i], rng) for i in rng.integers(len(tree), size=len(tree))])
