"""Likelihood ratios of any monotone shape, by isotonic regression.

A straight line (`likelihood.fit_likelihood_ratio`) is right for two Gaussians of one width. Knownness is seldom so: its
log LR is flat where enrolled sources and strangers overlap and steep on both sides, and a line overstates the one and
understates the other. Pool-adjacent-violators finds the monotone map of least Cllr, whatever its shape. On simulated
scores of 5 to 500 clips a kind that costs about 0.01 of Cllr at worst, where the line is right, and saves 0.01 to 0.03
where it isn't.

Sources: Zadrozny and Elkan, Transforming classifier scores into accurate multiclass probability estimates, KDD 2002;
Bruemmer and du Preez, Application-independent evaluation of speaker detection, Computer Speech and Language 20, 2006.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from earwitness.calibration.likelihood import LikelihoodRatio, empirical_bounds

__all__ = ["fit_isotonic_ratio", "pav"]

Array = NDArray[np.float64]

ROUNDING = 1e-12
"""Levels that differ by no more of the highest are the same, whichever way rounding went."""


def pav(scores: ArrayLike, targets: ArrayLike, weights: ArrayLike) -> Array:
    """Isotonic regression of targets on scores, all (n,), by pool-adjacent-violators; equal scores get one value.

    Every run of blocks that doesn't rise is pooled at once, until none is left: in which order doesn't matter.
    Source: Ayer et al. 1955 (Ann. Math. Stat. 26).
    """
    _, block = np.unique(np.asarray(scores, np.float64), return_inverse=True)
    mass = np.bincount(block, np.asarray(weights, np.float64))
    sums = np.bincount(block, np.multiply(weights, targets))
    while True:
        levels = sums / mass
        rising = np.diff(levels) > ROUNDING * np.abs(levels).max()
        if rising.all():
            return np.asarray(levels[block])
        pooled = np.append(0, np.cumsum(rising))
        mass, sums, block = np.bincount(pooled, mass), np.bincount(pooled, sums), pooled[block]


def fit_isotonic_ratio(same: Array, different: Array) -> LikelihoodRatio:
    """The monotone likelihood ratio of scores, (n,) and (m,), with one imagined clip of each kind at either end.

    In a block that pools a share p of the one kind and q of the other, LR = p / q: the posterior odds where both kinds
    weigh one half. log10 LR runs straight from one block's mean score to the next one's and is constant beyond them.
    The imagined clips keep it finite; `empirical_bounds` hold the rest. Scores that fall where they should rise end in
    one block, LR = 1.
    """
    both = np.concatenate([same, different])
    ends = both.min(), both.max()
    scores = np.concatenate([same, ends, different, ends])  # (n + m + 4,)
    kind = np.repeat([1.0, 0.0], [len(same) + 2, len(different) + 2])
    weights = np.where(kind == 1, 0.5 / (len(same) + 2), 0.5 / (len(different) + 2))
    _, block = np.unique(pav(scores, kind, weights), return_inverse=True)
    p, q = (np.bincount(block, kind == each) / np.sum(kind == each) for each in (1, 0))  # (blocks,)
    centres = np.bincount(block, weights * scores) / np.bincount(block, weights)
    log10s = np.log10(p) - np.log10(q)
    bounds = empirical_bounds(*(np.interp(each, centres, log10s) for each in (same, different)))
    return LikelihoodRatio(tuple(centres.tolist()), tuple(log10s.tolist()), *bounds)
