"""What the scripts for single tables of papers share: a model trained once, and what `bench` says of it."""

from pathlib import Path
from typing import Any

from papers_answers import answers
from papers_publish import quality

from earwitness.bench import bench
from earwitness.manifest import Manifest
from earwitness.pipeline import Pipeline
from earwitness.training import train
from earwitness.training.experts import finished

__all__ = ["learned", "tested"]


def learned(pipeline: Pipeline, manifest: Manifest, folder: Path, start: Path | None = None) -> Path:
    """The folder of a model, trained unless it is there."""
    if not finished(folder, pipeline):
        train(pipeline, manifest, folder, start=start)
    return folder


def tested(model: Path, manifest: Manifest, out: Path) -> dict[str, Any]:
    """What a model is worth on the test clips of a manifest, once it is enrolled with the others."""
    (row,) = bench([str(model)], manifest, out, quiet=True)["rows"]
    return {**quality(row["figures"]), "answers": answers(out, row["recipe"], manifest, "clean")}
