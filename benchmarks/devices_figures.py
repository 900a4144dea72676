"""What the arms of benchmarks/devices.py come to: accuracy, AUROC and OSCR, with intervals over takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from earwitness.evaluation import metrics
from earwitness.evaluation.intervals import draws, interval
from earwitness.types import IntArray

DRAWS = 300
NOBODY = ""
"""The world in which every microphone is enrolled."""


@dataclass(frozen=True)
class Lines:
    """What was answered, one line a sound, all (n,).

    `world` is the microphone left out, `group` what a bootstrap draws, `side` the one that was tested; `far` tells
    a device that nobody enrolled in any world.
    """

    world: NDArray[np.str_]
    group: NDArray[np.str_]
    side: NDArray[np.str_]
    known: NDArray[np.bool_]
    far: NDArray[np.bool_]
    right: NDArray[np.bool_]
    knownness: NDArray[np.float64]

    @classmethod
    def of(cls, answers: Sequence[tuple[Any, ...]]) -> Self:
        """From rows in the order of the fields."""
        return cls(*map(np.array, zip(*answers, strict=True)))

    def figures(self, rows: IntArray) -> dict[str, float]:
        """Accuracy with all enrolled, AUROC and OSCR with each left out in turn, and AUROC against far devices."""
        whole, far = rows[self.world[rows] == NOBODY], self.far[rows]
        known = whole[self.known[whole]]
        return {
            "accuracy": metrics.mean(self.right[known]),
            **self._rotations(rows[(self.world[rows] != NOBODY) & ~far]),
            "auroc_far": metrics.auroc(self.knownness[known], self.knownness[rows[far]]),
        }

    def _rotations(self, rows: IntArray) -> dict[str, float]:
        """AUROC and OSCR within each world that has both kinds, weighed by its strangers."""
        found, weights = [], []
        for world in np.unique(self.world[rows]):
            own = rows[self.world[rows] == world]
            known, strange = own[self.known[own]], own[~self.known[own]]
            if len(known) and len(strange):
                pair = self.knownness[known], self.knownness[strange]
                found.append((metrics.auroc(*pair), metrics.oscr(self.right[known], *pair)))
                weights.append(len(strange))
        auroc, oscr = np.average(found, axis=0, weights=weights) if found else (np.nan, np.nan)
        return {"auroc": float(auroc), "oscr": float(oscr)}

    def spread(self, chosen: NDArray[np.bool_]) -> dict[str, list[float]]:
        """Each figure over some of the lines: [it, low, high]."""
        rows = np.flatnonzero(chosen)
        drawn = [self.figures(rows[each]) for each in draws([self.group[rows]], self.far[rows], DRAWS)]
        return {name: [value, *interval(each[name] for each in drawn)] for name, value in self.figures(rows).items()}
