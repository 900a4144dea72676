"""Calibrating a registry on development clips: of enrolled sources, and of strangers."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from earwitness.calibration import PairCalibration, calibrate, calibrate_pairs
from earwitness.engine import Engine
from earwitness.errors import CalibrationError
from earwitness.evaluation.scoring import Scored, score_rows, tasks_of
from earwitness.fusion import STRANGER, Fusion, Opinions, fit_fusion
from earwitness.manifest import Manifest
from earwitness.siblings import find_siblings
from earwitness.types import Task

__all__ = ["calibrate_registry"]


def calibrate_registry(engine: Engine, manifest: Manifest, far: float) -> list[dict[str, Any]]:
    """Calibrate every task that has clips in the manifest; what was set, for each.

    Raises:
        CalibrationError: too few strangers for `far`, or no clip of an enrolled source.
        ManifestError: no row belongs to a task of this registry, or no clip can be counted.
    """
    engine.own()
    return [_calibrate(engine, task, manifest, far) for task in tasks_of(engine, manifest)]


def _calibrate(engine: Engine, task: Task, manifest: Manifest, far: float) -> dict[str, Any]:
    judge = engine.judge(task)
    names = [expert.name for expert in judge.experts]
    scored = score_rows(engine, task, manifest, estrange=len(names) > 1)
    fusion = _fused(scored, names) if len(names) > 1 else None
    clips, known = judge.fused(scored.opinions, fusion), scored.known
    values, labels, knownness = clips.values[known], scored.labels[known], clips.knownness[known]
    strange = clips.knownness[~known]
    if scored.estranged is not None:
        strange = np.concatenate([strange, judge.fused(scored.estranged, fusion).knownness])
    calibration = replace(
        calibrate(values, labels, knownness, strange, far, scored.sources, _pairs(scored)),
        stranger_sources=scored.strangers,
        siblings=find_siblings(values, labels, scored.sources),
        fusion=fusion,
    )
    engine.registry.save_calibration(task, calibration.to_dict())
    return {
        "task": task,
        "far": far,
        "threshold": calibration.threshold,
        "known_clips": int(known.sum()),
        "stranger_clips": int((~known).sum()),
        "estranged_clips": len(strange) - int((~known).sum()),
        "known_accepted": float((knownness >= calibration.threshold).mean()),
        "siblings": [list(each) for each in calibration.siblings],
        "weights": fusion.strengths if fusion else None,
        "pairs": calibration.pairs is not None,
        "skipped": list(scored.skipped),
    }


def _fused(scored: Scored, names: Sequence[str]) -> Fusion:
    """The experts' rule, learned from the clips as they are and from those of each family as if it weren't enrolled.

    Strangers of development are few and of their own kind; a family left out is a stranger as the next one may be.
    """
    if scored.estranged is None:
        return fit_fusion(scored.opinions, scored.labels, names, scored.sources)
    labels = np.concatenate([scored.labels, np.full(len(scored.estranged.merits), STRANGER)])
    return fit_fusion(Opinions.joined([scored.opinions, scored.estranged]), labels, names, scored.sources)


def _pairs(scored: Scored) -> PairCalibration | None:
    """The likelihood ratio of two clips' similarity, where the clips bear one."""
    names = np.array([row.source or f"line {row.line}" for row in scored.rows])
    one, two = np.triu_indices(len(names), k=1)
    similarities = np.einsum("pd,pd->p", scored.means[one], scored.means[two])
    try:
        return calibrate_pairs(similarities, names[one] == names[two], len(names))
    except CalibrationError:
        return None
