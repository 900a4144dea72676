"""Split-conformal p-values: how many development clips were as odd as this one.

p = (1 + #{kept <= score}) / (n + 1), larger scores conforming more: where the new clip and the n kept ones are
exchangeable, P(p <= epsilon) <= epsilon, whatever the scores. Within a group of clips that holds for the group
(Mondrian). Sources: Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World, 2005; Vovk, Conditional
validity of inductive conformal predictors, ACML 2012 (arXiv 1209.2673).
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["EPSILON", "FEWEST", "by_source", "p_values"]

EPSILON = 0.05
"""The share of clips whose source may be ruled out."""
FEWEST = 19
"""Clips under which no p-value is as small as `EPSILON`."""

Array = NDArray[np.float64]
Kept = tuple[float, ...]


def p_values(kept: Sequence[float], scores: ArrayLike) -> Array:
    """The p-value of each score (...) against the kept ones (n,), ascending."""
    return np.asarray((1 + np.searchsorted(kept, scores, side="right")) / (len(kept) + 1))


def by_source(scores: Array, labels: NDArray[np.int64], sources: Sequence[str]) -> tuple[Kept, Mapping[str, Kept]]:
    """What to keep: scores that sources share, and those of sources with enough clips of their own; ascending.

    The rest of the sources share the clips of them all, or every clip (n,) where these are too few.
    """
    counts = np.bincount(labels, minlength=len(sources))
    own = counts >= FEWEST
    rest = ~own[labels]
    shared = scores[rest] if rest.sum() >= FEWEST else scores
    return _ascending(shared), {sources[k]: _ascending(scores[labels == k]) for k in np.flatnonzero(own).tolist()}


def _ascending(scores: Array) -> Kept:
    return tuple(np.sort(scores).tolist())
