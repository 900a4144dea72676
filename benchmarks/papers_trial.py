"""What the scripts for single tables of papers share: a model trained once, enrolled, calibrated and tested."""

from pathlib import Path
from typing import Any

from papers_publish import quality

from earwitness.engine import open_engine
from earwitness.evaluation import calibrate_registry
from earwitness.evaluation.trial import Trial
from earwitness.manifest import Manifest
from earwitness.model import Model
from earwitness.pipeline import Pipeline
from earwitness.plugins import load_catalogue
from earwitness.references import references
from earwitness.training import train
from earwitness.training.experts import finished
from earwitness_registry import Registry

__all__ = ["enrolled", "learned", "tested"]

FALSE_ACCEPTANCE = 0.05


def learned(pipeline: Pipeline, manifest: Manifest, folder: Path, start: Path | None = None) -> Path:
    """The folder of a model, trained unless it is there."""
    if not finished(folder, pipeline):
        train(pipeline, manifest, folder, start=start)
    return folder


def enrolled(model: Path, manifest: Manifest, registry: Path) -> Path:
    """A registry of a model of devices: the training clips enrolled, thresholds from development's."""
    with Registry.create(registry, model.name) as made:
        Model.load(model, load_catalogue()).add_to(made, model)
    with open_engine(registry) as engine:
        for kind, pairs in references(manifest.select(split="train", task="device"), "device").items():
            list(engine.enroll_many(pairs, kind))
        calibrate_registry(engine, manifest.select(split="dev", task="device"), FALSE_ACCEPTANCE)
    return registry


def tested(registry: Path, manifest: Manifest) -> dict[str, Any]:
    """What a registry of devices is worth on test clips."""
    with open_engine(registry) as engine:
        trial = Trial(engine, manifest)
        return quality(trial.figures("device", trial.hear("device")))
