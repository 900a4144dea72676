"""Calibrating a registry on development clips: of enrolled sources, and of strangers."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from earwitness.calibration import (
    Calibration,
    PairCalibration,
    calibrate,
    calibrate_pairs,
    fewest_strangers,
    fit_temperature,
    naming_threshold,
    softmax,
)
from earwitness.deciding import Judge
from earwitness.engine import Engine
from earwitness.errors import CalibrationError
from earwitness.evaluation.choosing import choose
from earwitness.evaluation.metrics import ece
from earwitness.evaluation.scoring import Listened, Replayed, Scored, hear_all, replay, score, tasks_of
from earwitness.evaluation.splicing import splice_thresholds
from earwitness.fusion import STRANGER, Fusion, Opinions, fit_fusion
from earwitness.manifest import Manifest
from earwitness.siblings import find_siblings
from earwitness.types import IntArray, Task

__all__ = ["calibrate_judge", "calibrate_registry"]

Array = NDArray[np.float64]

FOLDS = 5
FEWEST_VERSIONS = 3
"""Sources left out of a family that stays, under which they don't tell how its next version will look; or models of a
brand."""


def calibrate_registry(engine: Engine, manifest: Manifest, far: float) -> list[dict[str, Any]]:
    """Calibrate every task that has clips in the manifest; what was set, for each.

    Raises:
        CalibrationError: too few strangers for `far`, or no clip of an enrolled source.
        ManifestError: no row belongs to a task of this registry, or no clip can be counted.
    """
    engine.own()
    return [_calibrate(engine, task, manifest, far) for task in tasks_of(engine, manifest)]


def _calibrate(engine: Engine, task: Task, manifest: Manifest, far: float) -> dict[str, Any]:
    listened = hear_all(engine, task, manifest)
    calibration, report = calibrate_judge(_chosen(engine.judge(task), listened), listened, far)
    engine.registry.save_calibration(task, calibration.to_dict())
    return {"task": task, **report, "skipped": list(listened.skipped)}


def calibrate_judge(judge: Judge, listened: Listened, far: float) -> tuple[Calibration, dict[str, Any]]:
    """Calibrate the experts of a judge on clips that were heard; and what was set, on how many.

    Raises:
        CalibrationError: too few strangers for `far`, or no clip of an enrolled source.
    """
    clips, experts = _Clips.of(judge, listened, far), tuple(expert.name for expert in judge.experts)
    calibration = replace(clips.calibration(), experts=experts)
    calibration = replace(calibration, splices=splice_thresholds(judge, listened, calibration))
    return calibration, {"experts": list(experts), **clips.report(calibration)}


def _chosen(judge: Judge, listened: Listened) -> Judge:
    """The judge with one expert a model: of a panel's the one that development clips bear out.

    Strangers are the real ones and each family as if it weren't enrolled.
    """
    if all(len(panel) == 1 for panel in judge.panels):
        return replace(judge, asked=sum(judge.panels, ()))
    everyone = replace(judge, asked=sum(judge.panels, ()))
    scored = score(everyone, listened, verdicts=False)
    estranged = replay(everyone, listened, scored, {source: judge.kin_of(source) for source in judge.sources})
    opinions, labels = _with_strangers(scored, estranged)
    return replace(judge, asked=choose(opinions, labels, judge.panels))


@dataclass(frozen=True, slots=True)
class _Said:
    """What was said of m clips: their true source and the one ranked first, (m,), and their knownness (m,)."""

    labels: IntArray
    first: IntArray
    knownness: Array

    @classmethod
    def of(cls, replayed: Replayed | None, judge: Judge, fusion: Fusion | None) -> Self:
        """Of clips that were scored without some sources; of none where there are none."""
        if replayed is None:
            return cls(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
        fused = judge.fused(replayed.opinions, fusion)
        return cls(replayed.labels, replayed.first(fused.values), fused.knownness.astype(np.float64))

    def __getitem__(self, rows: NDArray[np.bool_]) -> Self:
        """Some of the clips."""
        return replace(self, labels=self.labels[rows], first=self.first[rows], knownness=self.knownness[rows])

    def within(self, members: Sequence[int]) -> Array:
        """The knownness of clips of some sources that are ranked first for one of them."""
        return self.knownness[np.isin(self.labels, members) & np.isin(self.first, members)]


@dataclass(frozen=True, slots=True)
class _Clips:
    """Development clips: known ones with their `values` (n, K), strangers, and known ones as if they were none.

    `estranged` are known ones without their family. `paths` name each source and its groups, from narrow to wide, and
    `versions` are known ones without the part of each group that their source is of, so that the rest of it stays:
    first without the source and its siblings alone, then, where groups lie in wider ones, without the narrowest.
    """

    scored: Scored
    far: float
    fusion: Fusion | None
    siblings: tuple[tuple[str, ...], ...]
    paths: Mapping[str, tuple[str, ...]]
    values: Array
    known: _Said
    strangers: _Said
    estranged: _Said
    versions: tuple[_Said, ...]

    @classmethod
    def of(cls, judge: Judge, listened: Listened, far: float) -> Self:
        """What was heard, as a single expert or the rule of several says it.

        Families left out are strangers beside the real ones where experts are fused, and in their place where those
        are too few.
        """
        scored, several = score(judge, listened, verdicts=False), len(judge.experts) > 1
        wanted = several or (~scored.known).sum() < fewest_strangers(far)
        families = {source: judge.kin_of(source) for source in judge.sources} if wanted else {}
        estranged = replay(judge, listened, scored, families)
        fusion = _fused(scored, estranged, [expert.name for expert in judge.experts]) if several else None
        fused = judge.fused(scored.opinions, fusion)
        values = fused.values[scored.known].astype(np.float64)
        siblings = find_siblings(values, scored.labels[scored.known], judge.sources)
        said = _Said(scored.labels, fused.values.argmax(axis=1), fused.knownness.astype(np.float64))
        paths = {source: (source, *judge.groups_of(source)) for source in judge.sources}
        left_out = [_versions(paths, siblings, depth) for depth in range(max(map(len, paths.values())) - 1)]
        versions = [replay(judge, listened, scored, each) for each in left_out]
        return cls(
            scored=scored,
            far=far,
            fusion=fusion,
            siblings=siblings,
            paths=paths,
            values=values,
            known=said[scored.known],
            strangers=said[~scored.known],
            estranged=_Said.of(estranged, judge, fusion),
            versions=tuple(_Said.of(each, judge, fusion) for each in versions),
        )

    def calibration(self) -> Calibration:
        """Every figure set."""
        levels = [self._borne(depth) for depth in range(len(self.versions))]
        found = calibrate(
            self.values,
            self.known.labels,
            self.known.knownness,
            np.concatenate([self.strangers.knownness, self.estranged.knownness]),
            self.far,
            self.scored.sources,
            _pairs(self.scored),
            np.concatenate([self.strangers.first, self.estranged.first]),
            self._makers(),
        )
        return replace(
            found,
            stranger_sources=self.scored.strangers,
            siblings=self.siblings,
            fusion=self.fusion,
            naming=self._naming(levels),
            group_naming={name: threshold for level in levels[1:] for name, threshold in level.items()},
            pseudo_strangers=len(self.strangers.labels) < fewest_strangers(self.far),
        )

    def _makers(self) -> list[str]:
        """What made the strangers, and those that stand in for them; strangers that nobody names count as of one."""
        rows = [row for row, known in zip(self.scored.rows, self.scored.known, strict=True) if not known]
        return [*(row.source or "" for row in rows), *(self.scored.sources[k] for k in self.estranged.labels)]

    def _naming(self, levels: Sequence[Mapping[str, float]]) -> dict[str, float]:
        """The naming threshold of each source that bears one; none is below that of a group of its."""
        borne = {
            source: [level[name] for level, name in zip(levels, path, strict=False) if name in level]
            for source, path in self.paths.items()
        }
        return {source: max(thresholds) for source, thresholds in borne.items() if thresholds}

    def _borne(self, depth: int) -> dict[str, float]:
        """The naming threshold of each source (`depth` 0), or of each group in a wider one, where that bears one."""
        found: dict[str, float] = {}
        names = [self.paths[source][depth : depth + 2] for source in self.scored.sources]
        for group in {name[1] for name in names if len(name) == 2}:
            members = [k for k, name in enumerate(names) if name[1:] == (group,)]
            parts = {names[k][0] for k in np.intersect1d(self.versions[depth].labels, members)}
            if len(parts) < FEWEST_VERSIONS:
                continue
            ours = [clips.within(members) for clips in (self.known, *self.versions[:depth])]
            others = self.versions[depth].within(members)
            if (threshold := naming_threshold(np.concatenate(ours), others)) is not None:
                found |= {names[k][0]: threshold for k in members}
        return found

    def report(self, calibration: Calibration) -> dict[str, Any]:
        """What was set, and on how many clips."""
        known = self.values, self.known.knownness
        return {
            "far": calibration.far,
            "threshold": calibration.threshold,
            "thresholds": dict(calibration.thresholds),
            "naming": dict(calibration.naming),
            "group_naming": dict(calibration.group_naming),
            "known_clips": len(self.known.labels),
            "stranger_clips": len(self.strangers.labels),
            "estranged_clips": len(self.estranged.labels),
            "pseudo_strangers": calibration.pseudo_strangers,
            "known_accepted": float(calibration.accepted(*known).mean()),
            "known_named": float((calibration.answers(*known) != STRANGER).mean()),
            "ece": _calibration_error(self.values, self.known.labels),
            "siblings": [list(each) for each in calibration.siblings],
            "weights": calibration.fusion.strengths if calibration.fusion else None,
            "pairs": calibration.pairs is not None,
            "splices": dict(calibration.splices),
        }


def _fused(scored: Scored, estranged: Replayed | None, names: Sequence[str]) -> Fusion:
    """The experts' rule, learned from the clips as they are and from those of each family as if it weren't enrolled.

    Strangers of development are few and of their own kind; a family left out is a stranger as the next one may be.
    """
    return fit_fusion(*_with_strangers(scored, estranged), names)


def _with_strangers(scored: Scored, estranged: Replayed | None) -> tuple[Opinions, IntArray]:
    """What is said of development clips, those heard without their family last, and their labels."""
    if estranged is None:
        return scored.opinions, scored.labels
    labels = np.concatenate([scored.labels, np.full(len(estranged.labels), STRANGER)])
    return Opinions.joined([scored.opinions, estranged.opinions]), labels


def _versions(
    paths: Mapping[str, tuple[str, ...]], siblings: Sequence[Sequence[str]], depth: int
) -> dict[str, frozenset[str]]:
    """What to leave out for a clip to be an unenrolled version of a group that stays, for each source with kin.

    At `depth` 0 the source is left out of its narrowest group, at 1 that group of the next wider one. Siblings go
    together: one that stayed would take the clips of the other, and rightly.
    """
    sets = {source: frozenset(each) for each in siblings for source in each}
    names = {source: path[depth : depth + 2] for source, path in paths.items() if len(path) > depth + 1}
    parts, groups = defaultdict[tuple[str, ...], set[str]](set), defaultdict[str, set[str]](set)
    for source, (part, group) in names.items():
        parts[part, group] |= sets.get(source, {source})
        groups[group].add(source)
    return {source: frozenset(parts[name]) for source, name in names.items() if groups[name[1]] - parts[name]}


def _calibration_error(values: Array, labels: IntArray) -> float | None:
    """ECE of the probabilities among the enrolled, each fifth of the clips at the temperature of the others."""
    if len(labels) < FOLDS:
        return None
    fold = np.arange(len(labels)) % FOLDS
    shares = np.empty_like(values)
    for each in range(FOLDS):
        temperature = fit_temperature(values[fold != each], labels[fold != each])
        shares[fold == each] = softmax(values[fold == each] / temperature)
    return ece(shares.max(axis=1), shares.argmax(axis=1) == labels)


def _pairs(scored: Scored) -> PairCalibration | None:
    """The likelihood ratio of two clips' similarity, where the clips bear one."""
    names = np.array([row.source or f"line {row.line}" for row in scored.rows])
    one, two = np.triu_indices(len(names), k=1)
    similarities = np.einsum("pd,pd->p", scored.means[one], scored.means[two])
    try:
        return calibrate_pairs(similarities, names[one] == names[two], len(names))
    except CalibrationError:
        return None
