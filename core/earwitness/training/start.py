"""What training begins with in place of fresh weights: a model trained before, perhaps on other sources."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from earwitness.contracts import LearnedEmbedder
from earwitness.errors import TrainingError
from earwitness.model import Model
from earwitness.pipeline import Pipeline
from earwitness.plugins import load_catalogue

if TYPE_CHECKING:
    from torch import Tensor

    from earwitness.training.learner import Classifier

__all__ = ["Start"]

SHARED = ("rate", "frontend", "embedder")


@dataclass(frozen=True, slots=True)
class Start:
    """A model's folder; `space` stands for its weights, `sources` are those of its head."""

    folder: Path
    space: str
    sources: tuple[str, ...]

    @classmethod
    def read(cls, folder: Path, pipeline: Pipeline) -> Self:
        """A model to begin `pipeline` with.

        Raises:
            TrainingError: The pipeline has no network, or the model's rate, frontend or embedder is another.
            PipelineError: The folder is no model, or is damaged.
        """
        if not isinstance(pipeline.embedder, LearnedEmbedder):
            raise TrainingError(f"pipeline {pipeline.name!r} has no network that could go on learning: drop --start")
        model = Model.load(folder, load_catalogue())
        theirs, ours = model.pipeline.to_dict(), pipeline.to_dict()
        if other := [key for key in SHARED if theirs[key] != ours[key]]:
            raise TrainingError(
                f"{folder} was trained with another {other[0]}, {theirs[other[0]]}, which its weights fit: start from "
                f"a model of this pipeline's, or set {other[0]} to it"
            )
        return cls(folder, model.space, tuple(model.heads))

    def give(self, model: "Classifier", sources: tuple[str, ...]) -> None:
        """Put the weights into a network, and its head, where it was trained on the same sources in the same order.

        Raises:
            TrainingError: The network has other weights, or of other shapes.
        """
        from safetensors.torch import load_file

        weights = load_file(self.folder / "weights.safetensors")
        network = {key.removeprefix("network."): each for key, each in weights.items() if key.startswith("network.")}
        if _shapes(network) != _shapes(model.network.state_dict()):
            raise TrainingError(
                f"{self.folder} has a network of other shapes than this pipeline's: train it anew with this version "
                "of its embedder, or drop --start"
            )
        model.network.load_state_dict(network)
        if self.sources == sources:
            model.head.load_state_dict({"weight": weights["head.weight"]})


def _shapes(weights: "dict[str, Tensor]") -> dict[str, tuple[int, ...]]:
    return {key: tuple(each.shape) for key, each in weights.items()}
