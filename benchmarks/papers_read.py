"""The tables that papers print, benchmarks/papers/*.yaml, and what was measured of them, measured.json beside them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

__all__ = ["FOLDER", "MEASURED", "Line", "Paper", "Table", "key_of", "read_measured", "read_papers"]

FOLDER = Path(__file__).parent / "papers"
MEASURED = FOLDER / "measured.json"

Recipe = str | Mapping[str, Mapping[str, Any]]
"""A registered pipeline, or the experts of one with the lines that are changed in each."""


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a published table: a method, its published figure, and what of ours stands beside that.

    Either a `recipe` is measured: `metric` on `corpus` under `condition`; or `why_not` says why none is; or `special`
    tells which script has a way of its own to measure it, and which way. `published` is None where a paper prints none.
    """

    method: str
    published: float | None
    corpus: str
    metric: str
    condition: str = "clean"
    recipe: Recipe | None = None
    why_not: str | None = None
    special: Sequence[str | int] | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A published table or figure; `published` says what it prints, `picture` names one of ours in docs/pictures."""

    name: str
    about: str
    published: str
    lines: tuple[Line, ...]
    picture: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper; `on` says what its figures are of, `name` what its file is called."""

    name: str
    paper: str
    on: str
    tables: tuple[Table, ...]

    @property
    def lines(self) -> Iterator[Line]:
        """The rows of all its tables."""
        return (line for table in self.tables for line in table.lines)


class _Loader(yaml.SafeLoader):
    """YAML in which `on` is a word, as it is since version 1.2, not a truth value."""


_Loader.yaml_implicit_resolvers = {**yaml.SafeLoader.yaml_implicit_resolvers, "o": [], "O": []}


def read_papers(folder: Path = FOLDER) -> list[Paper]:
    """Every paper of a folder, by name; TypeError where a row lacks a key or has a strange one."""
    return [_paper(file.stem, yaml.load(file.read_text("utf-8"), _Loader)) for file in sorted(folder.glob("*.yaml"))]


def _paper(name: str, data: Mapping[str, Any]) -> Paper:
    return Paper(name, **{**data, "tables": tuple(_table(each) for each in data["tables"])})


def _table(data: Mapping[str, Any]) -> Table:
    """A table; what all its rows share is given to each that says nothing else."""
    own = {each.name for each in fields(Table)}
    shared = {name: value for name, value in data.items() if name not in (*own, "rows")}
    lines = tuple(Line(**{**shared, **row}) for row in data["rows"])
    return Table(lines=lines, **{name: value for name, value in data.items() if name in own})


def key_of(recipe: Recipe) -> str:
    """What a recipe is called in measured.json: its canonical JSON."""
    return json.dumps(recipe, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def read_measured(file: Path = MEASURED) -> dict[str, Any]:
    """What was measured; nothing where there is no file."""
    empty: dict[str, Any] = {"corpora": {}, "rows": {}, "special": {}}
    return {**empty, **json.loads(file.read_text("utf-8"))} if file.is_file() else empty
