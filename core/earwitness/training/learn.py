"""`train`: from a pipeline and a manifest to a model folder."""

from importlib.util import find_spec
from pathlib import Path

from earwitness.contracts import AnchorEmbedder, FittedEmbedder, FittedFrontend, LearnedEmbedder
from earwitness.errors import MissingExtraError, OptionError, TrainingError
from earwitness.manifest import Manifest
from earwitness.network import Device
from earwitness.pipeline import Pipeline
from earwitness.places import cache_folder
from earwitness.training.card import write_card
from earwitness.training.run import CHECKPOINT, Run
from earwitness.training.start import Start
from earwitness_registry.files import write_whole

__all__ = ["train"]

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
    if _learns(pipeline):
        _require(device)
        cache = cache or cache_folder() / "features"
        lesson = Run(pipeline, manifest, out, seed, device, cache, quiet, begun).learn()
    write_card(out / "card.md", pipeline, manifest, lesson)
    _finish(out, pipeline)
    return out


def _learns(pipeline: Pipeline) -> bool:
    """Whether its embedder or its frontend has something to learn."""
    learners = FittedEmbedder | AnchorEmbedder | LearnedEmbedder
    return isinstance(pipeline.embedder, learners) or isinstance(pipeline.frontend, FittedFrontend)


def _require(device: Device) -> None:
    if any(find_spec(name) is None for name in NEEDED):
        raise MissingExtraError("training", "train")
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise OptionError("--device cuda: torch sees no GPU here; 'earwitness doctor' tells why, or use --device cpu")


def _finish(out: Path, pipeline: Pipeline) -> None:
    """Make the folder a model: `pipeline.yaml` comes last, and the checkpoint goes."""
    write_whole(out / "pipeline.yaml", pipeline.to_yaml().encode())
    (out / CHECKPOINT).unlink(missing_ok=True)
