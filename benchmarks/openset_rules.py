"""What scorers say of the clips of a fold, and what an answer by one of them, or by several fused, is worth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray
from openset_arms import Asked
from openset_pooling import Pool, mean

from earwitness.calibration import calibrate
from earwitness.contracts import Scorer
from earwitness.evaluation import metrics
from earwitness.evaluation.choosing import choose
from earwitness.fusion import STRANGER, Opinions, even
from earwitness.manifest import Row
from earwitness.types import IntArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

FALSE_ACCEPTANCE = 0.05
"""What the threshold is asked for."""
BINS = 15


def score(rule: Scorer, asked: Asked, sources: Sequence[str], pool: Pool) -> tuple[Array, Array]:
    """Values (n, K) of all sources, the least for one that isn't enrolled there, and knownness (n,)."""
    found, knownness = pool(rule.score(rule.fit(asked.gallery), asked.gallery, asked.windows), asked)
    values = np.repeat(found.min(axis=1, keepdims=True), len(sources), axis=1)
    values[:, [sources.index(source) for source in asked.gallery.sources]] = found
    return values, knownness


@dataclass(frozen=True)
class Said:
    """What E rules say of n clips; `labels` (n,) index into the sources, STRANGER for one of none of them."""

    opinions: Opinions
    labels: IntArray
    rows: tuple[Row, ...]

    @classmethod
    def of(cls, rules: Sequence[Scorer], asked: Sequence[Asked], sources: Sequence[str], pool: Pool = mean) -> Self:
        """Put the clips to every rule."""
        put = [each for each in asked if each.rows]
        parts = [[score(rule, each, sources, pool) for rule in rules] for each in put]
        opinions = [
            Opinions(
                np.stack([v for v, _ in part], 1), np.stack([k for _, k in part], 1), np.ones((len(part[0][1]), 1))
            )
            for part in parts
        ]
        enrolled = [(row.source, each.gallery.sources) for each in put for row in each.rows]
        labels = [sources.index(source) if source in among else STRANGER for source, among in enrolled]
        return cls(Opinions.joined(opinions), np.array(labels, np.int64), tuple(r for a in put for r in a.rows))

    @property
    def known(self) -> Mask:
        """(n,): whether the clip's source is enrolled."""
        return np.asarray(self.labels != STRANGER)

    def only(self, chosen: Mask) -> "Said":
        """Some of the clips."""
        o = self.opinions
        rows = tuple(row for row, kept in zip(self.rows, chosen, strict=True) if kept)
        return Said(Opinions(o.values[chosen], o.knownness[chosen], o.merits[chosen]), self.labels[chosen], rows)

    def by(self, rules: Sequence[int]) -> Opinions:
        """What some of the rules say."""
        chosen = list(rules)
        return Opinions(self.opinions.values[:, chosen], self.opinions.knownness[:, chosen], self.opinions.merits)


@dataclass(frozen=True)
class Case:
    """What development and test heard under one choice of strangers; within a `world` knownness is compared."""

    world: int
    sources: tuple[str, ...]
    dev: Said
    test: Mapping[str, Said]


@dataclass(frozen=True)
class Rule:
    """The places of one scorer or several: then development chooses one, or with `fused` they are averaged."""

    members: tuple[int, ...]
    fused: bool = False

    def taken(self, dev: Said) -> int:
        """The member with the largest area under its OSCR curve over development clips."""
        names = tuple(map(str, self.members))
        return int(choose(dev.by(self.members), dev.labels, [names])[0])

    def scores(self, dev: Said, test: Said) -> list[tuple[Array, Array]]:
        """Values and knownness of development and of test.

        Knownness is standardised by the strangers of development, so that it compares where one case takes another
        member than the next; several members are averaged, their values standardised over sources.
        """
        members = self.members if self.fused else (self.taken(dev),)
        strange = dev.by(members).knownness[~dev.known]
        middles, spreads = strange.mean(axis=0), strange.std(axis=0)
        opinions = [said.by(members) for said in (dev, test)]
        return [
            (
                even(each.values) if self.fused else each.values[:, 0],
                ((each.knownness - middles) / spreads).mean(axis=1),
            )
            for each in opinions
        ]


@dataclass(frozen=True)
class Answers:
    """What was answered, one line a clip, all (n,).

    Knownness is compared within a `world`; `known` tells if the clip's source is enrolled. `truth`, `first` and `said`
    are numbers of `names`, the last of which means a stranger; `confidence` is the probability of what was said.
    """

    names: tuple[str, ...]
    world: IntArray
    known: Mask
    truth: IntArray
    first: IntArray
    said: IntArray
    knownness: Array
    log10_lr: Array
    confidence: Array

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Those of several folds."""
        arrays = [each.name for each in fields(cls)][1:]
        return cls(parts[0].names, *(np.concatenate([getattr(part, name) for part in parts]) for name in arrays))

    def figures(self, rows: IntArray) -> dict[str, float]:
        """Every metric over some of the lines."""
        known, strange = rows[self.known[rows]], rows[~self.known[rows]]
        ratios = self.log10_lr[known], self.log10_lr[strange]
        cost, least = metrics.cllr(*ratios), metrics.cllr_min(*ratios)
        stranger = len(self.names) - 1
        return self.told_apart(known, strange) | {
            "macro_f1": metrics.macro_f1(self.truth[rows], self.said[rows]),
            "accuracy": metrics.accuracy(self.truth[known], self.first[known]),
            "accepted": float((self.said[strange] != stranger).mean()),
            "known_accepted": float((self.said[known] != stranger).mean()),
            "cllr": cost,
            "cllr_min": least,
            "cllr_cal": cost - least,
            "ece": self._ece(known, strange),
        }

    def told_apart(self, known: IntArray, strange: IntArray) -> dict[str, float]:
        """AUROC, FPR95 and OSCR within each world, averaged over the strangers."""
        found, weights = [], []
        for world in np.unique(self.world[strange]):
            ours, theirs = (each[self.world[each] == world] for each in (known, strange))
            pair = self.knownness[ours], self.knownness[theirs]
            right = self.first[ours] == self.truth[ours]
            found.append([metrics.auroc(*pair), metrics.fpr95(*pair), metrics.oscr(right, *pair)])
            weights.append(len(theirs) if len(ours) else 0)
        mean = np.average(np.nan_to_num(found), axis=0, weights=weights)
        return dict(zip(("auroc", "fpr95", "oscr"), map(float, mean), strict=True))

    def _ece(self, known: IntArray, strange: IntArray) -> float:
        """Expected calibration error with strangers as frequent as known clips, as the probabilities presume."""
        rows = np.concatenate([known, strange])
        weights = np.repeat([0.5 / len(known), 0.5 / len(strange)], [len(known), len(strange)])
        bins = np.clip(np.ceil(self.confidence[rows] * BINS).astype(int) - 1, 0, BINS - 1)
        gaps = (self.said[rows] == self.truth[rows]) - self.confidence[rows]
        return float(np.abs(np.bincount(bins, weights * gaps)).sum())

    def sweep(self, points: int = 60) -> dict[str, list[float]]:
        """Macro-F1 over K + 1 against the threshold on the probability of 'one of the known'."""
        grid = np.linspace(0, 1, points + 1)
        chance = 1 / (1 + np.power(10, -self.log10_lr))
        stranger = len(self.names) - 1
        said = [np.where(chance >= each, self.first, stranger) for each in grid]
        return {"threshold": grid.tolist(), "macro_f1": [metrics.macro_f1(self.truth, each) for each in said]}


def answer(rule: Rule, case: Case, condition: str, names: tuple[str, ...]) -> Answers:
    """What a rule answers to the test clips by what development clips taught.

    `names` are all sources of any case and, last, a stranger.
    """
    dev, test = case.dev, case.test[condition]
    (values, knownness), (asked, asked_knownness) = rule.scores(dev, test)
    calibration = calibrate(
        values[dev.known],
        dev.labels[dev.known],
        knownness[dev.known],
        knownness[~dev.known],
        FALSE_ACCEPTANCE,
        case.sources,
    )
    number = np.array([*(names.index(source) for source in case.sources), len(names) - 1])  # STRANGER is the last
    said = calibration.answers(asked, asked_knownness)
    pairs = zip(asked, asked_knownness, strict=True)
    stated = np.array([[*calibration.probabilities(v, k), calibration.unknown_probability(k)] for v, k in pairs])
    return Answers(
        names=names,
        world=np.full(len(said), case.world),
        known=test.known,
        truth=number[test.labels],
        first=number[asked.argmax(axis=1)],
        said=number[said],
        knownness=asked_knownness,
        log10_lr=np.array([calibration.log10_lr(each) for each in asked_knownness]),
        confidence=stated[np.arange(len(said)), said],
    )
