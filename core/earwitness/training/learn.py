"""`train`: from a pipeline and a manifest to a model folder."""

import hashlib
import json
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from safetensors.numpy import save

from earwitness.contracts import AnchorEmbedder, Embedder, FittedEmbedder, FittedFrontend, LearnedEmbedder
from earwitness.errors import MissingExtraError, OptionError, TrainingError
from earwitness.manifest import Manifest
from earwitness.model import FRONTEND, settled
from earwitness.network import Device
from earwitness.pipeline import Chain, Pipeline
from earwitness.places import cache_folder
from earwitness.training.card import Lesson, write_card
from earwitness.training.data import Corpus, gather
from earwitness.training.features import InTurn, derive, render
from earwitness.training.start import Start
from earwitness_registry.files import write_whole

if TYPE_CHECKING:
    from earwitness.training.checkpoint import Progress

__all__ = ["train"]

CHECKPOINT = "checkpoint.safetensors"
NEEDED = ("torch", "speechbrain", "onnxscript", "sklearn")


def train(
    pipeline: Pipeline,
    manifest: Manifest,
    out: Path,
    *,
    seed: int = 0,
    device: Device = "cpu",
    cache: Path | None = None,
    quiet: bool = False,
    start: Path | None = None,
) -> Path:
    """Learn from split `train`, watched over by split `dev`, and write the model folder `out`.

    The same pipeline, manifest and seed give the same weights on a CPU. Killed, it goes on where it stood after
    the last whole epoch when called again with the same. Where frontend and embedder have nothing to learn, no clips
    are needed.

    Args:
        pipeline: what to learn, with its recipe.
        manifest: the clips, with columns `source` and `split`.
        out: the folder to make.
        seed: what all chance comes from.
        device: where the network learns.
        cache: where features are kept for another run; None = the user's cache folder.
        quiet: whether to show no progress.
        start: a model of the same rate, frontend and embedder: its weights are begun with, and what its frontend
            has learned is kept; its head's only if the sources are the same. None = fresh weights.

    Returns:
        `out`.

    Raises:
        TrainingError: `out` is a model already or was begun with another recipe, data, seed or start; the manifest
            bears no training; the model to start from is of another kind; or training fails.
        PipelineError: `start` is no model, or the recipe names parts that the network hasn't.
        AudioError: a clip can't be heard.
        MissingExtraError: the extra `train` isn't installed.
        OptionError: there is no GPU.
    """
    if (out / "pipeline.yaml").exists():
        raise TrainingError(f"{out} is a finished model: train into another folder, or remove this one first")
    begun = Start.read(start, pipeline) if start else None
    out.mkdir(parents=True, exist_ok=True)
    lesson = None
    learners = FittedEmbedder | AnchorEmbedder | LearnedEmbedder
    if isinstance(pipeline.embedder, learners) or isinstance(pipeline.frontend, FittedFrontend):
        _require(device)
        lesson = _learn(pipeline, manifest, out, seed, device, cache or cache_folder() / "features", quiet, begun)
    write_card(out / "card.md", pipeline, manifest, lesson)
    _finish(out, pipeline)
    return out


def _require(device: Device) -> None:
    if any(find_spec(name) is None for name in NEEDED):
        raise MissingExtraError("training", "train")
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise OptionError("--device cuda: torch sees no GPU here; 'earwitness doctor' tells why, or use --device cpu")


def _learn(
    pipeline: Pipeline,
    manifest: Manifest,
    out: Path,
    seed: int,
    device: Device,
    cache: Path,
    quiet: bool,
    start: Start | None,
) -> Lesson:
    """Render, learn, write what was learned; what the card tells of it comes back."""
    recipe = pipeline.training
    train, dev = gather(manifest, pipeline.task)
    train = replace(train, clips=render(train.rows, [recipe.versions] * len(train.rows), pipeline, seed, cache, quiet))
    dev = replace(dev, clips=render(dev.rows, _watched(len(dev.rows), recipe.versions), pipeline, seed, cache, quiet))
    began = perf_counter()
    if isinstance(pipeline.frontend, FittedFrontend):
        train, dev = _settle(pipeline.frontend, (train, dev), out, cache, quiet, start)
    if not isinstance(pipeline.embedder, LearnedEmbedder):
        figure, judged = _close(pipeline.embedder, train, dev, out, quiet)
        return Lesson(train.counts, dev.counts, seed, "cpu", figure, judged, perf_counter() - began)
    run = _digest(pipeline, manifest, seed, start)
    progress = _descend(pipeline, train, dev, out, seed, device, run, quiet, start)
    figure, epoch = progress.figures[progress.best_epoch], progress.best_epoch + 1
    judged = f"by the head it learned under, in epoch {epoch} of {progress.epochs}"
    begun = f"{start.folder.name}, space {start.space}" if start else None
    return Lesson(train.counts, dev.counts, seed, device, figure, judged, progress.seconds, begun)


def _settle(
    frontend: FittedFrontend,
    corpora: tuple[Corpus, Corpus],
    out: Path,
    cache: Path,
    quiet: bool,
    start: Start | None,
) -> tuple[Corpus, Corpus]:
    """Write what the frontend learns of the first corpus, or did for `start`; both with its features for frames."""
    if start:
        write_whole(out / FRONTEND, (start.folder / FRONTEND).read_bytes())
    else:
        with nullcontext() if quiet else Console(stderr=True).status(f"fitting {frontend.name}"):
            state = frontend.fit(InTurn(corpora[0].clips))
        write_whole(out / FRONTEND, save({key: np.ascontiguousarray(array) for key, array in state.items()}))
    fitted = settled(frontend, out / FRONTEND)
    train, dev = (replace(corpus, clips=derive(corpus.clips, fitted, cache, quiet)) for corpus in corpora)
    return train, dev


def _close(
    embedder: Embedder | FittedEmbedder | AnchorEmbedder, train: Corpus, dev: Corpus, out: Path, quiet: bool
) -> tuple[float, str]:
    """Macro-F1 on dev of an embedder without a network, and what answered; fitted and written before, if it learns."""
    from earwitness.training.anchors import fit_anchors
    from earwitness.training.closed_form import fit, judge

    if isinstance(embedder, AnchorEmbedder):
        with nullcontext() if quiet else Console(stderr=True).status(f"fitting {embedder.name}"):
            return fit_anchors(embedder, train, dev, out), "by the class that fits best"
    figure = fit(embedder, train, dev, out) if isinstance(embedder, FittedEmbedder) else judge(embedder, train, dev)
    return figure, "by the nearest mean embedding"


def _descend(
    pipeline: Pipeline,
    train: Corpus,
    dev: Corpus,
    out: Path,
    seed: int,
    device: Device,
    run: str,
    quiet: bool,
    start: Start | None,
) -> "Progress":
    """Fit the network epoch by epoch, and write weights and network."""
    from earwitness.training.export import export
    from earwitness.training.learner import Learner
    from earwitness.training.loop import fit

    assert isinstance(pipeline.embedder, LearnedEmbedder)
    assert pipeline.window != "clip"
    recipe = pipeline.training
    _, frames, dims = train.clips[0].windows(0).shape
    learner = Learner(pipeline.embedder, recipe, (frames, dims), len(train.sources), seed, device)
    if start:
        start.give(learner.model, train.sources)
    share = recipe.crop / pipeline.window
    progress = fit(learner, recipe, share, train, dev, out / CHECKPOINT, run, quiet)
    export(learner.model, progress.best, train.sources, (frames, dims), out)
    return progress


def _watched(clips: int, versions: Sequence[Chain]) -> list[tuple[Chain, ...]]:
    """Each clip as it is and in one degraded version, all of these in turn."""
    degraded = [chain for chain in versions if chain]
    return [((), degraded[clip % len(degraded)]) if degraded else ((),) for clip in range(clips)]


def _digest(pipeline: Pipeline, manifest: Manifest, seed: int, start: Start | None) -> str:
    """What a checkpoint must share with a training to be gone on with."""
    recipe = [pipeline.to_dict(), [dict(row.columns) for row in manifest.rows], seed]
    recipe += [[start.space, start.sources]] if start else []
    return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()


def _finish(out: Path, pipeline: Pipeline) -> None:
    """Make the folder a model: `pipeline.yaml` comes last, and the checkpoint goes."""
    write_whole(out / "pipeline.yaml", pipeline.to_yaml().encode())
    (out / CHECKPOINT).unlink(missing_ok=True)
