"""The clips of an evaluation, one line each, and every metric over some of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from earwitness.calibration import Calibration
from earwitness.evaluation import metrics
from earwitness.evaluation.protocol import true_groups
from earwitness.evaluation.scoring import STRANGER, Scored
from earwitness.types import Task

__all__ = ["FARS", "Groups", "Rows", "Table"]

FARS = (0.01, 0.1)
"""The false acceptances at which right answers are counted."""

Groups = Mapping[str, tuple[str, ...]]
"""The groups of a source, from narrow to wide."""

Rows = NDArray[np.int64]
Bools = NDArray[np.bool_]
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Table:
    """One line a clip: what is true, what was answered, and what was promised of the answer; all (n,).

    `first` ranks first and `answers` is what was said of it. `confidence` is the probability of that answer, siblings
    together, `errors` the squared errors of all. A prediction set `held` the truth or not, and has a size in `sizes`.
    `near` marks strangers of an enrolled family, `family_right` and `family_wrong` clips called unknown and of a
    family, or any group. `kin` (K + 1,) gives each source's set of siblings a number, and a stranger, who is last, his
    own; `far` is the share of strangers that may be accepted.
    """

    labels: Rows
    first: Rows
    answers: Rows
    knownness: Array
    log10_lr: Array
    confidence: Array
    errors: Array
    held: Bools
    sizes: Rows
    near: Bools
    family_right: Bools
    family_wrong: Bools
    kin: Rows
    far: float

    @classmethod
    def of(cls, scored: Scored, calibration: Calibration, groups: Groups, cards: Groups, task: Task = "system") -> Self:
        """What a calibration answers to the clips; `groups` are true, `cards` what it says of enrolled sources."""
        knownness, strange = scored.knownness.astype(np.float64), ~scored.known
        answers = calibration.answers(scored.values, knownness)
        sets, stated = calibration.prediction_set(scored.values), _stated(scored, calibration)
        truths = [true_groups(row, groups, task) for row in scored.rows]
        said = calibration.families(scored.values, knownness, cards)
        right = np.array([each in truth for each, truth in zip(said, truths, strict=True)])
        enrolled = {name for source in scored.sources for name in (source, *groups.get(source, ()))}
        first, kin = scored.values.argmax(axis=1), _kin(scored.sources, calibration)
        together = kin[:-1] == kin[first][:, None]  # (n, K): the first rank and its siblings, which are one answer
        called = (answers == STRANGER) & np.array([each is not None for each in said])
        return cls(
            labels=scored.labels,
            first=first,
            answers=answers,
            knownness=knownness,
            log10_lr=np.array([calibration.log10_lr(each) for each in knownness]),
            confidence=np.where(answers == STRANGER, stated[:, -1], (stated[:, :-1] * together).sum(axis=1)),
            errors=metrics.squared_errors(stated, np.where(strange, len(scored.sources), scored.labels)),
            held=sets[np.arange(len(sets)), scored.labels],
            sizes=sets.sum(axis=1),
            near=strange & np.array([not enrolled.isdisjoint(truth) for truth in truths]),
            family_right=called & right,
            family_wrong=called & ~right,
            kin=kin,
            far=calibration.far,
        )

    @property
    def known(self) -> Bools:
        """(n,): whether the clip counts as one of an enrolled source."""
        return np.asarray(self.labels != STRANGER)

    def metrics(self, rows: Rows) -> dict[str, float]:
        """Every metric over some of the clips, NaN where they can't bear it."""
        return {**self._named(rows), **self.told_apart(rows), **self._detected(rows), **self._promised(rows)}

    def told_apart(self, rows: Rows) -> dict[str, float]:
        """How well the strangers among some of the clips are told from the known ones."""
        known, strangers = self._sides(rows)
        right, pair = self.first[known] == self.labels[known], (self.knownness[known], self.knownness[strangers])
        return {
            "auroc": metrics.auroc(*pair),
            "fpr95": metrics.fpr95(*pair),
            "oscr": metrics.oscr(right, *pair),
            "far_realised": metrics.mean(self.answers[strangers] != STRANGER),
            "family_right": metrics.mean(self.family_right[strangers[self.near[strangers]]]),
            "family_wrong": metrics.mean(self.family_wrong[strangers]),
        }

    def _sides(self, rows: Rows) -> tuple[Rows, Rows]:
        """Clips of known sources, and strangers."""
        known = self.known[rows]
        return rows[known], rows[~known]

    def _named(self, rows: Rows) -> dict[str, float]:
        """Which of the enrolled sources it is, strangers aside."""
        known, _ = self._sides(rows)
        labels, first = self.labels[known], self.first[known]
        return {
            "accuracy": metrics.accuracy(labels, first),
            "accuracy_sets": metrics.accuracy(self.kin[labels], self.kin[first]),
            "macro_f1_known": metrics.macro_f1(labels, first),
            "macro_f1_sets": metrics.macro_f1(self.kin[labels], self.kin[first]),
            "coverage": metrics.mean(self.held[known]),
            "set_size": metrics.mean(self.sizes[known]),
            "known_accepted": metrics.mean(self.answers[known] != STRANGER),
        }

    def _detected(self, rows: Rows) -> dict[str, float]:
        """Naming and refusing at once."""
        known, strangers = self._sides(rows)
        right, pair = self.first[known] == self.labels[known], (self.knownness[known], self.knownness[strangers])
        return {
            "macro_f1_open": metrics.macro_f1(self.labels[rows], self.answers[rows]),
            **{f"dir_at_far_{far}": metrics.dir_at_far(right, *pair, far) for far in FARS},
            "eer": metrics.eer(*pair),
        }

    def _promised(self, rows: Rows) -> dict[str, float]:
        """Whether likelihood ratios and probabilities are what they say."""
        known, strangers = self._sides(rows)
        cost = metrics.cllr(self.log10_lr[known], self.log10_lr[strangers])
        least = metrics.cllr_min(self.knownness[known], self.knownness[strangers])
        return {
            "cllr": cost,
            "cllr_min": least,
            "cllr_cal": cost - least,
            "ece": metrics.ece(self.confidence[rows], self.kin[self.answers[rows]] == self.kin[self.labels[rows]]),
            "brier": metrics.mean(self.errors[rows]),
        }


def _stated(scored: Scored, calibration: Calibration) -> Array:
    """The probability of each source and, last, of a stranger, (n, K + 1)."""
    clips = zip(scored.values, scored.knownness.astype(np.float64), strict=True)
    return np.array([[*calibration.probabilities(v, k), calibration.unknown_probability(k)] for v, k in clips])


def _kin(sources: Sequence[str], calibration: Calibration) -> Rows:
    """The number of each source's set of siblings, declared on development clips; a source without any is a set."""
    leaders = [(calibration.siblings_of(source) or (source,))[0] for source in sources]
    return np.array([*(sources.index(leader) for leader in leaders), STRANGER], np.int64)
