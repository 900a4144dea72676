"""What the similarity of two clips says of 'one source' against 'two sources'."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from earwitness.calibration.likelihood import LikelihoodRatio, fit_likelihood_ratio
from earwitness.errors import CalibrationError

__all__ = ["PairCalibration", "calibrate_pairs"]

FEWEST_PAIRS = 100


@dataclass(frozen=True, slots=True)
class PairCalibration:
    """What a cosine similarity of two clips says of 'one source' against 'two sources'.

    Fitted on `same` and `different` pairs of `clips` development clips.
    """

    ratio: LikelihoodRatio
    same: int
    different: int
    clips: int

    def log10_lr(self, similarity: float) -> float:
        """The base-10 logarithm of the likelihood ratio of 'one source' against 'two sources'."""
        return self.ratio.log10(similarity)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The calibration that `dataclasses.asdict` laid down."""
        return cls(**{**data, "ratio": LikelihoodRatio.from_dict(data["ratio"])})


def calibrate_pairs(similarities: ArrayLike, same: ArrayLike, clips: int) -> PairCalibration:
    """Fit the likelihood ratio of cosine similarities.

    Args:
        similarities: (p,) of pairs of development clips.
        same: (p,) whether a pair has one source.
        clips: how many clips the pairs are made of. Pairs that share a clip aren't independent, so that
            |log10 LR| stays under log10(clips + 1) too.

    Raises:
        CalibrationError: under 100 pairs of one kind.
    """
    scores, alike = np.asarray(similarities, np.float64), np.asarray(same, bool)
    counts = int(alike.sum()), int((~alike).sum())
    if min(counts) < FEWEST_PAIRS:
        raise CalibrationError(
            f"there are {counts[0]} same-source and {counts[1]} different-source pairs, and a likelihood ratio "
            f"needs {FEWEST_PAIRS} of each: add development clips"
        )
    ratio, bound = fit_likelihood_ratio(scores[alike], scores[~alike]), math.log10(clips + 1)
    held = replace(ratio, lowest=max(ratio.lowest, -bound), highest=min(ratio.highest, bound))
    return PairCalibration(held, *counts, clips)
