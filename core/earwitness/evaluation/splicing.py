"""What a change of source within a clip is worth, learned from clips joined of two of one source."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from earwitness.calibration import Calibration, acceptance_threshold, fewest_strangers
from earwitness.deciding import Judge
from earwitness.evaluation.scoring import Listened
from earwitness.mixing import best_splice

__all__ = ["splice_threshold"]

FALSE_ALARMS = 0.01
"""Of joined clips of one source, the share that may be taken for mixed."""


def splice_threshold(judge: Judge, listened: Listened, calibration: Calibration) -> float | None:
    """The gain (`earwitness.mixing`) from which a clip counts as mixed; None where clips are too few, or heard whole.

    Each development clip of an enrolled source is followed by the next one of that source: other words, and often
    another voice, but no change of source.
    """
    if not any(expert.windowed for expert in judge.experts):
        return None
    lines: dict[str, list[NDArray[np.float64]]] = {}
    for row, heard in listened.counted:
        if row.source in judge.sources:
            parts = judge.timeline(heard, judge.scores(heard)).apart
            logs = calibration.log_shares(judge.fused(parts, calibration.fusion).values)
            lines.setdefault(row.source, []).append(logs)
    gains = np.array([gain for clips in lines.values() for gain in _gains(clips)])
    return acceptance_threshold(gains, FALSE_ALARMS) if len(gains) >= fewest_strangers(FALSE_ALARMS) else None


def _gains(clips: Sequence[NDArray[np.float64]]) -> list[float]:
    """The gain of the best change in each clip joined with the next."""
    found = [best_splice(np.concatenate(pair)) for pair in pairwise(clips)]
    return [splice.gain if splice else 0.0 for splice in found]
