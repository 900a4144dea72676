"""What all recipes of a comparison share: clips, conditions, folders, machine."""

import json
import shlex
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from earwitness.errors import EarwitnessError, PipelineError
from earwitness.loading import load_experts, load_pipeline
from earwitness.manifest import Manifest, Row
from earwitness.model import model_folders
from earwitness.network import Device
from earwitness.pipeline import Pipeline
from earwitness.plugins import Catalogue
from earwitness.types import Task
from earwitness_registry.files import file_sha256, sha256

__all__ = ["Ground", "asked", "called", "fitting", "model_of", "quickened", "share_of"]

QUICK = "-quick"


@dataclass(frozen=True)
class Ground:
    """Where recipes meet: a `limit` of the clips of a manifest, under `conditions`.

    `far` is the share of strangers that thresholds may let pass; `stamp` tells machine and versions.
    """

    manifest: Manifest
    out: Path
    conditions: tuple[str, ...]
    catalogue: Catalogue
    stamp: Mapping[str, Any]
    limit: float = 1.0
    far: float = 0.05
    unknown_column: str | None = None
    leaks: Sequence[str] = ()
    device: Device = "cpu"

    @property
    def work(self) -> Path:
        """What is made on the way: models, registries, degraded clips, features. May be deleted afterwards."""
        return self.out / "work"

    @cached_property
    def clips(self) -> Path:
        """Where degraded clips of this very manifest are kept."""
        file = self.manifest.path.resolve()
        return self.work / f"clips-{sha256(f'{file} {file_sha256(file)}'.encode())[:12]}"

    @cached_property
    def digest(self) -> str:
        """Digest of all that decides a figure but the recipe and its seed."""
        rows = [[row.line, dict(row.columns)] for row in self.manifest.rows]
        given = [self.far, self.unknown_column, self.device]
        parts = [str(self.manifest.path.resolve()), rows, given, dict(self.stamp)]
        return sha256(json.dumps(parts, sort_keys=True).encode())

    def command(self, recipe: str, seed: int, condition: str) -> str:
        """What somebody types where this was typed to get one row again, in a folder of his own."""
        given: dict[str, object] = {
            "--manifest": self.manifest.path,
            "--out": "again",
            "--conditions": condition,
            "--seeds": seed + 1,
            "--limit": self.limit,
            "--far": self.far,
            "--unknown-column": self.unknown_column,
            "--device": self.device,
        }
        said = [word for option, value in given.items() if value is not None for word in (option, str(value))]
        return shlex.join(["earwitness", "bench", recipe, *said, *(["--allow-leak"] if self.leaks else [])])


def model_of(recipe: str, catalogue: Catalogue) -> Path | None:
    """The folder of a model, or of several experts' models, that stands for a recipe; registered names come first."""
    folder = Path(recipe)
    return folder if folder.is_dir() and recipe not in catalogue.names("pipeline") else None


def called(recipe: str, catalogue: Catalogue) -> str:
    """A recipe's name in tables: a file's without its folder, NAME-trained of a model."""
    if folder := model_of(recipe, catalogue):
        return f"{folder.resolve().name}-trained"
    return Path(recipe).stem if Path(recipe).suffix in (".yaml", ".yml") else recipe


def asked(recipe: str, manifest: Manifest, catalogue: Catalogue) -> tuple[Pipeline, ...]:
    """The experts of a recipe, put to the question of the manifest where all its rows have the same.

    Raises:
        PipelineError: it can't be read, or it is a model that has learned to answer another question.
    """
    tasks = {row.task for row in manifest.rows}
    task = next(iter(tasks)) if len(tasks) == 1 else None
    if folder := model_of(recipe, catalogue):
        return _trained(folder, task, catalogue)
    return tuple(replace(expert, task=task or expert.task) for expert in load_experts(recipe, catalogue))


def _trained(folder: Path, task: Task | None, catalogue: Catalogue) -> tuple[Pipeline, ...]:
    """The experts that have models in a folder."""
    experts = tuple(load_pipeline(str(each / "pipeline.yaml"), catalogue) for each in model_folders(folder))
    found = {expert.task for expert in experts}
    if len(found) > 1 or task not in (None, *found):
        names = " and ".join(sorted(found))
        raise PipelineError(f"{folder} learned the task {names}: name a model of one task, which the clips are of")
    return experts


def quickened(recipes: Sequence[str], catalogue: Catalogue) -> tuple[str, ...]:
    """Recipes, each once, with the variant for two cores in place of a registered pipeline that has one."""
    names = set(catalogue.names("pipeline"))
    return tuple(dict.fromkeys(name + QUICK if name + QUICK in names else name for name in recipes))


def fitting(catalogue: Catalogue, manifest: Manifest) -> tuple[str, ...]:
    """The registered pipelines for the tasks that a manifest names, all where it names none; broken ones too."""
    named = {row.task for row in manifest.rows}
    return tuple(name for name in catalogue.names("pipeline") if None in named or _task(name, catalogue) in named)


def _task(name: str, catalogue: Catalogue) -> str | None:
    """The task of a pipeline; that of every row where it can't be read, so that its row says why."""
    try:
        return load_experts(name, catalogue)[0].task
    except EarwitnessError:
        return None


def share_of(manifest: Manifest, share: float) -> Manifest:
    """So large a share of the clips of each source in each split, evenly from its list; at least one."""
    groups: dict[tuple[str | None, str | None], list[Row]] = defaultdict(list)
    for row in manifest.rows:
        groups[row.split, row.source].append(row)
    kept = {row.line for rows in groups.values() for row in _evenly(rows, max(1, round(share * len(rows))))}
    return replace(manifest, rows=tuple(row for row in manifest.rows if row.line in kept))


def _evenly(rows: Sequence[Row], count: int) -> list[Row]:
    return [rows[number * len(rows) // count] for number in range(count)]
