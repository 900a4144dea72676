"""Intervals that hold for other sources and speakers, not only for other clips of these.

Groups are drawn with replacement level by level: sources, then speakers within a drawn source; a drawn group of the
last level brings all its clips (Davison and Hinkley 1997, Bootstrap Methods and their Application, 3.8).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["bootstrap", "draws", "interval"]

Rows = NDArray[np.int64]


def bootstrap(
    statistic: Callable[[Rows], float],
    levels: Sequence[ArrayLike],
    strata: ArrayLike | None = None,
    count: int = 1000,
    seed: int = 0,
    share: float = 0.95,
) -> tuple[float, float]:
    """An interval of one statistic of the numbers of the clips drawn; arguments as of `draws` and `interval`."""
    return interval((statistic(rows) for rows in draws(levels, strata, count, seed)), share)


def interval(drawn: Iterable[float], share: float = 0.95) -> tuple[float, float]:
    """The quantiles between which a `share` of what was drawn lies, NaN left out; NaN when nothing else is there."""
    borne = [value for value in drawn if not np.isnan(value)]
    if not borne:
        return float("nan"), float("nan")
    low, high = np.quantile(borne, [(1 - share) / 2, (1 + share) / 2])
    return float(low), float(high)


def draws(
    levels: Sequence[ArrayLike], strata: ArrayLike | None = None, count: int = 1000, seed: int = 0
) -> Iterator[Rows]:
    """The numbers of the clips of each draw, ascending, a clip as often as it was drawn.

    Args:
        levels: outermost first, the group of each clip, each (n,).
        strata: (n,), such as known or unknown; each is drawn for itself, so none is ever missing.
        count: how many draws.
        seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    size = np.size(levels[0])
    nested = list(_nested([np.zeros(size) if strata is None else strata, *levels]))
    steps = [_parts(above, group) for above, group in pairwise(nested)]
    for _ in range(count):
        drawn = np.unique(nested[0])
        for first, sizes in steps:
            copies = np.repeat(drawn, sizes[drawn])
            drawn = first[copies] + rng.integers(sizes[copies])
        times = np.bincount(drawn, minlength=size + 1)
        yield np.repeat(np.arange(size), times[nested[-1]])


def _nested(levels: Sequence[ArrayLike]) -> Iterator[Rows]:
    """The number of each clip's group within the groups above it, (n,) a level; those of one group follow on."""
    above = np.zeros(np.size(levels[0]), np.int64)
    for level in levels:
        own = np.unique(np.asarray(level), return_inverse=True)[1]
        above = np.unique(above * (own.size + 1) + own, return_inverse=True)[1].astype(np.int64)
        yield above


def _parts(above: Rows, group: Rows) -> tuple[Rows, Rows]:
    """Of each group above, its first part and how many there are; (n,) and (n,) -> (G,) and (G,)."""
    owners = above[np.unique(group, return_index=True)[1]]
    sizes = np.bincount(owners)
    return np.cumsum(sizes) - sizes, sizes
