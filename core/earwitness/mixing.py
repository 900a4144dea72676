"""Clips of two sources: where the evidence changes hands.

With l_tk the log-probability that part t of a clip gives source k, a splice at c is worth

    G = max over c, i != j of [sum over t < c of l_ti + sum over t >= c of l_tj]  -  max over k of sum over t of l_tk,

the log-likelihood ratio of one change between two sources against none (Page, Biometrika 42, 1955). Parts overlap and
are no independent trials, so what G is worth is learned from unmixed clips (`earwitness.calibration`).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Splice", "best_splice", "whole"]


@dataclass(frozen=True, slots=True)
class Splice:
    """Part `at` is the first of source `after`; those before it are of source `before`; `gain` is G."""

    at: int
    before: int
    after: int
    gain: float


def whole(logs: NDArray[np.float64]) -> int:
    """The source that explains all T parts best, by log-probabilities (T, K)."""
    return int(logs.sum(axis=0).argmax())


def best_splice(logs: NDArray[np.float64]) -> Splice | None:
    """The likeliest change of source in a clip of T parts, (T, K); None where one source explains it as well.

    Time and memory grow with T x K.
    """
    sums = np.cumsum(logs, axis=0)
    if len(logs) < 2:
        return None
    heads = sums[:-1]  # (T - 1, K), of the first 1, 2 ... parts
    tails = sums[-1] - heads
    gains = heads.max(axis=1) + tails.max(axis=1) - sums[-1].max()
    cut = int(gains.argmax())
    before, after = int(heads[cut].argmax()), int(tails[cut].argmax())
    if before == after or gains[cut] <= 0:
        return None
    return Splice(cut + 1, before, after, float(gains[cut]))
