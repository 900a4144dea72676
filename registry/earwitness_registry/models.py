"""Models in a registry: a copied folder each, and a row that says what it must contain."""

import json
import re
import shutil
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from earwitness_registry.cards import Task
from earwitness_registry.errors import RegistryError, SpaceMismatchError
from earwitness_registry.files import file_sha256
from earwitness_registry.vectors import FloatArray

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True, slots=True, eq=False)
class StoredModel:
    """A model of a registry: `pipeline` is its YAML text, `folder` holds its files.

    `probe` (d,) is the unit embedding that it gave for the made-up clip when it came.
    """

    name: str
    task: Task
    space: str
    pipeline: str
    folder: Path
    probe: FloatArray


def checked_name(name: str) -> str:
    """A name that can be a file's.

    Raises:
        RegistryError: Anything but letters, digits, '.', '_' and '-', or too long.
    """
    if not _NAME.fullmatch(name):
        raise RegistryError(f"{name!r} can't name a file: use letters, digits, '.', '_' and '-'")
    return name


def read_models(db: sqlite3.Connection, folder: Path) -> tuple[StoredModel, ...]:
    """The models, by name."""
    rows = db.execute("SELECT name, task, space, pipeline, probe FROM models ORDER BY name")
    return tuple(
        StoredModel(name, task, space, pipeline, folder / name, np.frombuffer(probe, np.float32))
        for name, task, space, pipeline, probe in rows
    )


def space_row(db: sqlite3.Connection, space: str) -> tuple[Task, int, int]:
    """The task, dimension and revision of a space.

    Raises:
        SpaceMismatchError: No model of the registry has that space.
    """
    row = db.execute("SELECT task, length(probe) / 4, revision FROM models WHERE space = ?", (space,)).fetchone()
    if row is None:
        raise SpaceMismatchError(
            f"the registry has no model of space {space!r}: use one of its own models, or make a registry with "
            "'earwitness registry init --model'"
        )
    task, dimension, revision = row
    return task, dimension, revision


def task_spaces(db: sqlite3.Connection, task: Task) -> set[str]:
    """The spaces of a task's models.

    Raises:
        RegistryError: No model of the registry is for that task.
    """
    spaces = {space for (space,) in db.execute("SELECT space FROM models WHERE task = ?", (task,))}
    if not spaces:
        raise RegistryError(
            f"the registry has no model for task {task!r}: add one with 'earwitness registry add-model'"
        )
    return spaces


def rows_changed(db: sqlite3.Connection, spaces: Iterable[str], version: int) -> None:
    """Note the version at which the rows of these spaces changed last."""
    db.executemany("UPDATE models SET revision = ? WHERE space = ?", [(version, space) for space in spaces])


def refuse_second(db: sqlite3.Connection, name: str, space: str) -> None:
    """Raise RegistryError when the name or the space has its model already."""
    held = db.execute("SELECT name, space FROM models WHERE name = ? OR space = ?", (name, space)).fetchone()
    if held is not None:
        raise RegistryError(
            f"the registry holds model {held[0]!r} of space {held[1]!r} already, and takes one per name and space: "
            "give the model another name, or leave it out"
        )


def refuse_late(db: sqlite3.Connection, name: str, task: Task) -> None:
    """Raise RegistryError when clips of the task are enrolled: the new model would know none of them."""
    if db.execute("SELECT 1 FROM clips WHERE task = ?", (task,)).fetchone():
        raise RegistryError(
            f"clips of task {task!r} are enrolled already, and model {name!r} has heard none of them: make another "
            "registry with 'earwitness registry init --model' and enrol them there"
        )


def copy_model(source: Path, models: Path, name: str) -> str:
    """Copy a model's folder to `models/name`, whole or not at all, and return its digests as JSON."""
    if not source.is_dir():
        raise RegistryError(f"there is no model folder at {source}: give one that 'earwitness train' wrote")
    draft, final = models / ".incoming", models / name
    try:
        for remains in (draft, final):
            shutil.rmtree(remains, ignore_errors=True)
        shutil.copytree(source, draft)
        draft.rename(final)
        return json.dumps(digests(final))
    except (OSError, shutil.Error) as error:
        raise RegistryError(f"can't copy the model at {source}: {error}; make room or mend its permissions") from error


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 by relative path of every file in a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): file_sha256(path) for path in files}
