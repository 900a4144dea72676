"""What a change of source within a clip is worth, learned from clips joined of two of one source."""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from earwitness.calibration import Calibration, fewest_strangers, source_thresholds
from earwitness.deciding import Judge
from earwitness.evaluation.scoring import Listened
from earwitness.mixing import best_splice, whole

__all__ = ["splice_thresholds"]

FALSE_ALARMS = 0.05
"""Of joined clips of one source, the share that may be taken for mixed."""


def splice_thresholds(judge: Judge, listened: Listened, calibration: Calibration) -> Mapping[str, float]:
    """The gain (`earwitness.mixing`) from which a clip counts as mixed, by the source that explains it best as a whole.

    Each development clip of an enrolled source is followed by the next one of that source: other words, and often
    another voice, but no change of source. A source with enough of them has a threshold of its own, for some are
    easily taken for two; all others share one. Where clips are too few, or heard whole, there is none.
    """
    lines: dict[str, list[NDArray[np.float64]]] = {}
    if any(expert.windowed for expert in judge.experts):
        for row, heard in listened.counted:
            if row.source in judge.sources:
                parts = judge.timeline(heard, judge.scores(heard)).apart
                logs = calibration.log_shares(judge.fused(parts, calibration.fusion).values)
                lines.setdefault(row.source, []).append(logs)
    joined = [np.concatenate(pair) for clips in lines.values() for pair in pairwise(clips)]
    if len(joined) < fewest_strangers(FALSE_ALARMS):
        return {}
    gains = np.array([splice.gain if (splice := best_splice(logs)) else 0.0 for logs in joined])
    shared, own = source_thresholds(gains, np.array([whole(logs) for logs in joined]), FALSE_ALARMS)
    return {source: own.get(k, shared) for k, source in enumerate(judge.sources)}
