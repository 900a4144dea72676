"""Calibrating a registry on development clips: of enrolled sources, and of strangers."""

from dataclasses import replace
from typing import Any

import numpy as np

from earwitness.calibration import PairCalibration, calibrate, calibrate_pairs
from earwitness.engine import Engine
from earwitness.errors import CalibrationError
from earwitness.evaluation.scoring import Scored, score_rows, tasks_of
from earwitness.manifest import Manifest
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
    scored = score_rows(engine, task, manifest)
    known = scored.known
    calibration = calibrate(
        scored.values[known],
        scored.labels[known],
        scored.knownness[known],
        scored.knownness[~known],
        far,
        sources=scored.sources,
        pairs=_pairs(scored),
    )
    calibration = replace(calibration, stranger_sources=scored.strangers)
    engine.registry.save_calibration(task, calibration.to_dict())
    return {
        "task": task,
        "far": far,
        "threshold": calibration.threshold,
        "known_clips": int(known.sum()),
        "stranger_clips": calibration.strangers,
        "known_accepted": float((scored.knownness[known] >= calibration.threshold).mean()),
        "pairs": calibration.pairs is not None,
        "skipped": list(scored.skipped),
    }


def _pairs(scored: Scored) -> PairCalibration | None:
    """The likelihood ratio of two clips' similarity, where the clips bear one."""
    names = np.array([row.source or f"line {row.line}" for row in scored.rows])
    one, two = np.triu_indices(len(names), k=1)
    similarities = np.einsum("pd,pd->p", scored.means[one], scored.means[two])
    try:
        return calibrate_pairs(similarities, names[one] == names[two], len(names))
    except CalibrationError:
        return None
