"""What a recipe costs: numbers learned, bytes on disk, time for an answer."""

from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import numpy as np
from safetensors import safe_open

from earwitness.contracts import LearnedEmbedder
from earwitness.deciding import Judge
from earwitness.engine import Engine, open_engine
from earwitness.listening import Excerpt
from earwitness.manifest import Row
from earwitness.model import FRONTEND, Model, model_folders
from earwitness.network import Device
from earwitness.pipeline import TYPICAL_RATE
from earwitness.types import Task, Windows

__all__ = ["cost_of"]

CLIPS = 20
"""Clips that an answer is timed on, evenly from the test."""
ROUNDS = 3


def cost_of(models: Path, registry: Path, task: Task, rows: Sequence[Row], device: Device) -> dict[str, float]:
    """What the models in a folder and a registry made with them cost.

    `parameters` counts what was learned, of a network what descent moved; `bytes` is the registry: models, references
    and thresholds. `ms_per_clip` is the median of single answers from file to verdict, nothing kept from before, and
    `times_real_time` the seconds of sound answered in a second: of processor time, that others on the machine leave
    alone, or with a GPU by the clock on the wall.
    """
    with open_engine(registry, device) as engine:
        judge = engine.judge(task)
        folders = {Model.load(folder, engine.catalogue).space: folder for folder in model_folders(models)}
        parameters = sum(_parameters(model, folders[model.space]) for model in engine.models[task])
        excerpts = [Excerpt(row.path, row.start, row.end) for row in rows[:: max(1, len(rows) // CLIPS)][:CLIPS]]
        clock = process_time if device == "cpu" else perf_counter
        timed = [_timed(excerpt, engine, judge, clock) for excerpt in excerpts]
    size = sum(file.stat().st_size for file in registry.rglob("*") if file.is_file())
    seconds, sound = zip(*timed, strict=True)
    pace = {"ms_per_clip": 1000 * median(seconds), "times_real_time": sum(sound) / sum(seconds)}
    return {"parameters": parameters, "bytes": size, **pace}


def _timed(excerpt: Excerpt, engine: Engine, judge: Judge, clock: Callable[[], float]) -> tuple[float, float]:
    """Seconds from file to verdict, the best of some rounds, and seconds of sound."""
    taken = []
    for _ in range(ROUNDS):
        began = clock()
        (heard,) = engine.listen([excerpt], judge.task)
        judge.judge(heard)
        taken.append(clock() - began)
    return min(taken), heard.origin.duration if heard.origin else 0.0


def _parameters(model: Model, folder: Path) -> int:
    """Numbers that training found."""
    embedder, fitted = model.pipeline.embedder, _numbers(folder / FRONTEND)
    if isinstance(embedder, LearnedEmbedder):
        return fitted + sum(each.numel() for each in embedder.network(_dims(model)).parameters())
    return fitted + _numbers(folder / "weights.safetensors")


def _numbers(file: Path) -> int:
    """How many numbers the arrays of a file hold; none where it is missing."""
    if not file.is_file():
        return 0
    with safe_open(file, "np") as state:
        return sum(int(np.prod(state.get_slice(key).get_shape())) for key in state.keys())  # noqa: SIM118 - no mapping


def _dims(model: Model) -> int:
    """The width of a frame of features."""
    samples = np.random.default_rng(0).standard_normal((1, model.pipeline.length)).astype(np.float32)
    windows = Windows(samples, np.zeros(1, np.float32), model.pipeline.rate_at(TYPICAL_RATE))
    return int(model.features(windows).shape[2])
