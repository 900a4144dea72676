"""Sources that nobody can tell apart, as development clips show it: they are answered as a set."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["SEPARABLE", "find_siblings", "separation"]

SEPARABLE = 0.75
"""The least area under the ROC curve with which two sources count as told apart."""


def find_siblings(values: ArrayLike, labels: ArrayLike, sources: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Sets of sources that can't be told apart, each by name, found on development clips and declared before any test.

    Two sources are siblings when the difference of their values ranks the clips of one over those of the other with
    an area under the ROC curve below `SEPARABLE`, and so are siblings of siblings.

    Args:
        values: (n, K) of clips of known sources.
        labels: (n,) index of the true source.
        sources: the K ids.
    """
    v, truth = np.asarray(values, np.float64), np.asarray(labels, np.int64)
    leader = list(range(len(sources)))
    for a, b in combinations(np.unique(truth).tolist(), 2):
        difference = v[:, a] - v[:, b]
        if separation(difference[truth == a], difference[truth == b]) < SEPARABLE:
            leader = [leader[a] if each == leader[b] else each for each in leader]
    sets = [tuple(sorted(s for s, each in zip(sources, leader, strict=True) if each == one)) for one in set(leader)]
    return tuple(sorted(each for each in sets if len(each) > 1))


def separation(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> float:
    """Area under the ROC curve, P(ours > theirs) with half the ties: (n,), (m,)."""
    larger = (ours[:, None] > theirs).mean()
    return float(larger + (ours[:, None] == theirs).mean() / 2)
