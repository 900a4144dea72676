"""From windows to clips: the ways that benchmarks/openset.py compares."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from openset_arms import Asked

from earwitness.types import Scores

Array = NDArray[np.float64]
Pool = Callable[[Scores, Asked], tuple[Array, Array]]
"""Scores of windows to values (n, K) and knownness (n,) of clips."""
TIE = 1e-3
"""What the mean counts for beside votes: it only decides between equals."""


def averaged(rows: NDArray[np.floating], asked: Asked, weights: Array | None = None) -> Array:
    """The weighted mean over the windows of each clip, (N, K) -> (n, K)."""
    shares = np.ones(len(rows)) if weights is None else weights
    columns = [np.bincount(asked.clips, column * shares, len(asked.rows)) for column in rows.T]
    return np.stack(columns, axis=1) / np.bincount(asked.clips, shares, len(asked.rows))[:, None]


def mean(scores: Scores, asked: Asked, weights: Array | None = None) -> tuple[Array, Array]:
    """Means over windows."""
    return averaged(scores.values, asked, weights), averaged(scores.knownness[:, None], asked, weights)[:, 0]


def loudness(scores: Scores, asked: Asked) -> tuple[Array, Array]:
    """Means over windows, each weighing as its amplitude."""
    return mean(scores, asked, np.power(10.0, asked.loudness / 20))


def vote(scores: Scores, asked: Asked) -> tuple[Array, Array]:
    """A vote a window; the middle knownness, which passes a threshold when half the windows do."""
    votes = scores.values == scores.values.max(axis=1, keepdims=True)
    means = averaged(scores.values, asked)
    ties = (means - means.min(axis=1, keepdims=True)) / np.maximum(np.ptp(means, axis=1, keepdims=True), TIE)
    middle = [np.median(scores.knownness[asked.clips == clip]) for clip in range(len(asked.rows))]
    return averaged(votes, asked) + TIE * ties, np.array(middle)


def likelihood(scores: Scores, asked: Asked) -> tuple[Array, Array]:
    """Mean log-softmax over windows; knownness as the mean has it."""
    values = scores.values.astype(np.float64)
    values = values - values.max(axis=1, keepdims=True)
    logs = values - np.log(np.exp(values).sum(axis=1, keepdims=True))
    return averaged(logs, asked), averaged(scores.knownness[:, None], asked)[:, 0]


POOLS: Mapping[str, Pool] = {"mean": mean, "vote": vote, "log-likelihood": likelihood, "loudness": loudness}
