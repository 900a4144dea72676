"""Features that are computed once for all recipes, seeds and conditions that want the same."""

import hashlib
import json
from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np

from earwitness import __version__
from earwitness.engine import Engine
from earwitness.model import Model
from earwitness.parts import describe
from earwitness.training.features import write_array
from earwitness.types import FloatArray, Windows

__all__ = ["keep_features"]


def keep_features(engine: Engine, folder: Path) -> None:
    """Have an engine look for features in a folder before it computes them; it computes the same without."""
    folder.mkdir(parents=True, exist_ok=True)
    engine.models = {task: tuple(_keeping(each, folder) for each in models) for task, models in engine.models.items()}


def _keeping(model: Model, folder: Path) -> Model:
    return _Keeping(**{each.name: getattr(model, each.name) for each in fields(model)}, folder=folder)


@dataclass(frozen=True, slots=True)
class _Keeping(Model):
    """A model that computes the features of the same windows once in all."""

    folder: Path = field(kw_only=True)

    def features(self, windows: Windows) -> FloatArray:
        """Windows to (B, frames, dims)."""
        recipe = [__version__, describe(self.pipeline.frontend), windows.rate, windows.samples.shape]
        digest = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode())
        digest.update(windows.samples.tobytes())
        file = self.folder / f"{digest.hexdigest()}.npy"
        if file.is_file():
            kept: FloatArray = np.load(file)
            return kept
        found = Model.features(self, windows)
        write_array(file, found)
        return found
