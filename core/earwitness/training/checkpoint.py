"""Where training stands after an epoch, as one file that is replaced whole: no pickle, no torch.load."""

import json
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save as encode
from torch import Tensor

from earwitness.errors import TrainingError
from earwitness.training.learner import Learner
from earwitness_registry.files import write_whole

__all__ = ["Progress", "load", "save", "write_tensors"]


@dataclass(slots=True)
class Progress:
    """What has been learned so far, besides the weights.

    `run` is the digest of recipe, data, seed and start; `losses` and `figures` (macro-F1 on dev) have one entry an
    epoch; `best` are the weights of the best epoch; `seconds` counts every start.
    """

    run: str
    losses: list[float] = field(default_factory=list)
    figures: list[float] = field(default_factory=list)
    seconds: float = 0.0
    best: dict[str, Tensor] = field(default_factory=dict)

    @property
    def epochs(self) -> int:
        """Epochs done."""
        return len(self.figures)

    @property
    def best_epoch(self) -> int:
        """The epoch of the best figure, the first of equals, counted from 0; -1 before there is one."""
        return self.figures.index(max(self.figures)) if self.figures else -1

    def stalled(self, patience: int) -> bool:
        """Whether `patience` epochs have passed since the best."""
        return self.epochs - 1 - self.best_epoch >= patience


def save(file: Path, learner: Learner, progress: Progress) -> None:
    """Replace the checkpoint `file`."""
    optimizer = learner.optimizer.state_dict()
    tensors = {f"model.{key}": value for key, value in learner.weights().items()}
    tensors |= {f"best.{key}": value for key, value in progress.best.items()}
    tensors |= {
        f"optimizer.{index}.{key}": value
        for index, values in optimizer["state"].items()
        for key, value in values.items()
    }
    state = {
        "progress": {f.name: getattr(progress, f.name) for f in fields(progress) if f.name != "best"},
        "groups": optimizer["param_groups"],
        "schedule": learner.schedule.state_dict(),
    }
    write_tensors(file, tensors, {"state": json.dumps(state)})


def load(file: Path, learner: Learner, run: str) -> Progress:
    """Put `learner` where the checkpoint `file` stands; without one, a fresh start.

    Raises:
        TrainingError: the checkpoint is damaged, or of another recipe, data, seed or start.
    """
    if not file.is_file():
        return Progress(run)
    tensors, state = _read(file)
    if state["progress"]["run"] != run:
        raise TrainingError(
            f"{file} was begun with another recipe, manifest, seed or start: go on with those, train into another "
            "folder, or delete the checkpoint to start anew"
        )
    learner.model.load_state_dict(_under("model.", tensors))
    moments: dict[int, dict[str, Tensor]] = {}
    for key, value in _under("optimizer.", tensors).items():
        index, _, name = key.partition(".")
        moments.setdefault(int(index), {})[name] = value
    learner.optimizer.load_state_dict({"state": moments, "param_groups": state["groups"]})
    learner.schedule.load_state_dict(state["schedule"])
    return Progress(**state["progress"], best=_under("best.", tensors))


def write_tensors(file: Path, tensors: dict[str, Tensor], metadata: dict[str, str] | None = None) -> None:
    """Write a safetensors file whole or not at all."""
    write_whole(file, encode({key: value.contiguous() for key, value in tensors.items()}, metadata))


def _read(file: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    try:
        with safe_open(file, "pt") as opened:
            state = json.loads(opened.metadata()["state"])
            return {key: opened.get_tensor(key) for key in opened.keys()}, state  # noqa: SIM118 - no mapping
    except SafetensorError as error:
        raise TrainingError(f"{file} is damaged ({error}): delete it to start anew") from error


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
