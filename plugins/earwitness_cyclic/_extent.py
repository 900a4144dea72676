"""From when to when a lattice stands: a splice begins or ends it."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from earwitness.types import FloatArray
from earwitness_cyclic._evidence import SATURATION, Lines, Nats
from earwitness_cyclic._orders import CyclicSpectra

WINDOW = 2.0
"""Seconds, the grain of the answer."""

GAINS = (0.5, 1.0, 2.0, 4.0)
"""How far the lines of a window with the lattice may stand over chance."""


def extent(
    white: FloatArray, rate: int, order: Callable[[FloatArray, int], CyclicSpectra], frequencies: Nats
) -> tuple[float, float]:
    """Start and end in seconds of the stretch that carries lines at `frequencies` (K,), whole windows of it.

    A window's lines are exponential of mean 1 + g with the lattice and of mean 1 without; the stretch is the run of
    windows with the largest sum of log likelihood ratios, K (mean g / (1 + g) - ln(1 + g)), for the best gain g.
    """
    count = max(1, int(len(white) / rate / WINDOW))
    edges = np.linspace(0, len(white), count + 1).astype(int)
    means = np.array([_mean(order(white[a:b], rate), frequencies) for a, b in pairwise(edges)])
    runs = [_best_run(means * g / (1 + g) - np.log(1 + g)) for g in GAINS]
    _, first, last = max(runs)
    return float(edges[first] / rate), float(edges[last] / rate)


def _mean(spectra: CyclicSpectra, frequencies: Nats) -> float:
    """The mean evidence of a window's lines."""
    values = Lines.of(spectra).values
    bins = np.minimum(np.rint(frequencies / spectra.step).astype(np.int64), len(values) - 1)
    return float(np.minimum(values[bins], SATURATION).mean())


def _best_run(scores: Nats) -> tuple[float, int, int]:
    """The largest sum of consecutive scores, (W,), with its first window and the one after its last."""
    sums = np.concatenate([[0.0], np.cumsum(scores)])
    return max((sums[last] - sums[first], first, last) for last in range(1, len(sums)) for first in range(last))
