"""Thresholds that keep a promise about false acceptance, by order statistics of development strangers."""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from earwitness.errors import CalibrationError

__all__ = ["acceptance_threshold", "fewest_strangers", "source_thresholds"]

Array = NDArray[np.float64]

ROUNDING = 1e-9
MAKERS = 5


def fewest_strangers(far: float) -> float:
    """How many strangers a false acceptance of `far` needs: ceil(1 / far) - 1, 19 for 5 %; infinite for none."""
    return max(math.ceil(1 / far - 1 - ROUNDING), 0) if far > 0 else math.inf


def acceptance_threshold(strangers: Array, far: float) -> float:
    """The lowest threshold whose expected false acceptance of one more stranger is at most `far`.

    Of m + 1 exchangeable strangers each is equally likely to be the new one, so it lies above the k-th largest
    of the m others with probability k / (m + 1), ties aside, which only lower it: k = floor(far (m + 1)), and the
    threshold is the next number above. Needs m >= 1 / far - 1. Source: Wilks 1941 (Ann. Math. Stat. 12).

    Raises:
        CalibrationError: too few strangers for `far`.
    """
    count = len(strangers)
    rank = math.floor(far * (count + 1) + ROUNDING)
    if rank < 1:
        needed = fewest_strangers(far)
        raise CalibrationError(
            f"{count} development clips of strangers can't bear a false acceptance of {far:g}: "
            f"add clips ({'infinitely many' if math.isinf(needed) else needed} are needed) or ask for at least "
            f"{math.ceil(1000 / (count + 1)) / 1000:g}"
        )
    if rank > count:
        return float(np.finfo(np.float64).min)
    return float(np.nextafter(np.sort(strangers)[-rank], np.inf))


def source_thresholds(
    strangers: Array, first: NDArray[np.int64], far: float, makers: NDArray[np.str_] | None = None
) -> tuple[float, Mapping[int, float]]:
    """The threshold that sources share, and those of sources that bear one of their own.

    A stranger counts for the source it is ranked first for, so that strangers fall into groups and a new one falls
    into one of them, exchangeable with the others there: where each group's threshold promises `far`, so do all
    together. A source with enough strangers for `far` is a group of its own, all others are one; while that one has
    too few, the source with the fewest strangers of its own joins it. Clips of one system are more alike than those
    of the next one met will be: a group of its own needs strangers of `MAKERS` systems, where it is known who they are.

    Args:
        strangers: (m,) knownness.
        first: (m,) the source that each is ranked first for, below 0 where that isn't known.
        far: the share of new strangers that may be accepted.
        makers: (m,) what made each; None takes each for a draw of its own.

    Raises:
        CalibrationError: too few strangers for `far`, all of them together.
    """
    needed = fewest_strangers(far)
    sources, counts = np.unique(first, return_counts=True)
    most_first = np.argsort(-counts, kind="stable")
    own = [k for k, n in zip(sources[most_first].tolist(), counts[most_first], strict=True) if n >= needed and k >= 0]
    if makers is not None:
        own = [k for k in own if len(set(makers[first == k].tolist())) >= MAKERS]
    while own and (~np.isin(first, own)).sum() < needed:
        own.pop()
    shared = acceptance_threshold(strangers[~np.isin(first, own)], far)
    return shared, {k: acceptance_threshold(strangers[first == k], far) for k in own}
