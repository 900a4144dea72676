"""Lattices off the table: a search over all spacings, where resampling and changes of speed move them."""

from math import log

import numpy as np

from earwitness.types import FloatArray
from earwitness_cyclic._evidence import SATURATION, Lines, Nats

SLOWEST, FASTEST = 66.0, 104.0
"""Hz: the spacings searched, about a tenth around those of known systems."""

HIGHEST = 6000.0
"""Hz up to which lines are used to find a spacing; all are used to weigh it."""

SUMMITS = 12
"""The highest spacings of the first pass, which are weighed."""

APART = 0.004
"""Share by which two summits differ at least."""

BLOCK = 1024
"""Spacings summed at once, so that their lines stay in the cache."""

MAINS = 100.0
"""Hz: the beats of hum, which are a lattice, too."""

MAINS_WANDERS = 0.02
"""Share by which the mains may be off."""


def search(lines: Lines) -> tuple[float, float, int]:
    """The spacing in Hz that stands out most, its surprise in nats, and among how many spacings it was found.

    Chords light many spacings at once: the best is held against the tail of its rivals, fitted as an exponential's
    (Hill, A simple general approach to inference about the tail of a distribution, 1975), where that is heavier.
    """
    top = min(HIGHEST, lines.limit)
    count = int(np.log(FASTEST / SLOWEST) * top / lines.step) + 1  # from one to the next the highest line moves a bin
    spacings = SLOWEST * (FASTEST / SLOWEST) ** (np.arange(count) / count)
    spacings = spacings[np.abs(spacings / MAINS - 1) > MAINS_WANDERS]
    values = np.nan_to_num(np.minimum(lines.values, SATURATION), nan=1.0).astype(np.float32)
    blocks = [spacings[start : start + BLOCK] / lines.step for start in range(0, len(spacings), BLOCK)]
    heights = np.concatenate([_heights(values, block, top / lines.step) for block in blocks])
    weighed = [(lines.nats(spacing), spacing) for spacing in _summits(spacings, heights)]
    (nats, spacing), *rivals = sorted(weighed, reverse=True)
    return spacing, min(nats, log(count / SUMMITS) + _excess(nats, [rival for rival, _ in rivals])), count


def _excess(best: float, rivals: list[float]) -> float:
    """How far the best stands over its rivals' least, in units of their tail: at least 1, their mean excess."""
    least = min(rivals)
    return (best - least) / max(1.0, sum(rivals) / len(rivals) - least)


def _summits(spacings: Nats, heights: Nats) -> list[float]:
    """The highest spacings, each apart from the others."""
    found: list[float] = []
    for index in np.argsort(-heights):
        if all(abs(spacings[index] / other - 1) > APART for other in found):
            found.append(float(spacings[index]))
        if len(found) == SUMMITS:
            break
    return found


def _heights(values: FloatArray, spacings: Nats, top: float) -> Nats:
    """Spacings (S,) in bins -> (S,): the sum of their lines up to bin `top`, less their number, over its root."""
    bins = np.multiply.outer(spacings, np.arange(1, int(top / spacings[0]) + 1))
    inside = bins <= top
    lines = values[np.rint(np.minimum(bins, top)).astype(np.int32)]
    return np.asarray(((lines - 1) * inside).sum(axis=1) / np.sqrt(inside.sum(axis=1)), np.float64)
