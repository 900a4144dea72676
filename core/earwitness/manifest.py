"""The manifest: which clips there are, what made each, and on which side of a split it stands.

CSV, Parquet or JSONL with the same columns: `path` (relative to the manifest, or absolute), and optionally
`source`, `task`, `split`, `start`, `end` (seconds), `speaker`, `text_id`, `session`, and any others, which
are kept and may be grouped by.
"""

import csv
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeVar, get_args

from earwitness.errors import ManifestError, MissingExtraError
from earwitness.types import Task

__all__ = ["LEAK_COLUMNS", "Manifest", "Row", "Split", "check_leaks", "read_manifest"]

Split = Literal["train", "dev", "test"]

LEAK_COLUMNS = ("speaker", "text_id", "session", "path")
"""What must not stand on two sides of a split; `path` is the source file."""

T = TypeVar("T", bound=str)

UNNAMED = ("", "unknown")


VOICE_COLUMNS = ("speaker", "voice", "corpus")
"""Where a manifest may say in whose voice a clip speaks; the first that a row fills counts."""


@dataclass(frozen=True, slots=True)
class Row:
    """One clip: an absolute `path`, its `line` in the manifest (Parquet's rows count from 1), and its labels.

    `source` None = of no known source. `start` and `end` in seconds, None = the file's own. `columns` holds
    every column of the manifest as text, empty where the row says nothing.
    """

    path: Path
    line: int
    source: str | None
    task: Task | None
    split: Split | None
    start: float | None
    end: float | None
    columns: Mapping[str, str]

    @property
    def voice(self) -> str | None:
        """The speaker, voice or page a clip is of: what its source comes in and should be told apart in spite of."""
        return next((v for column in VOICE_COLUMNS if (v := self.columns.get(column, "")) not in UNNAMED), None)


@dataclass(frozen=True, slots=True)
class Manifest:
    """The rows of the manifest `path`, or a selection of them."""

    path: Path
    rows: tuple[Row, ...]

    def select(self, split: str | None = None, task: Task | None = None) -> "Manifest":
        """The rows of one split and one task; a row that names no task belongs to both.

        Raises:
            ManifestError: there is no column `split`, no such split, or no row is left.
        """
        if split is not None:
            self._require("split")
            _one_of(split, get_args(Split), "split", str(self.path))
        rows = tuple(r for r in self.rows if split in (None, r.split) and (task is None or r.task in (None, task)))
        if not rows:
            wanted = " and ".join(f"{k} {v!r}" for k, v in (("split", split), ("task", task)) if v is not None)
            raise ManifestError(f"{self.path}: no row has {wanted}; check the columns 'split' and 'task'")
        return replace(self, rows=rows)

    def groups(self, column: str) -> dict[str, tuple[Row, ...]]:
        """The rows by the text in `column`, in order of first appearance; ManifestError without it."""
        self._require(column)
        found: dict[str, list[Row]] = {}
        for row in self.rows:
            found.setdefault(row.columns[column], []).append(row)
        return {value: tuple(rows) for value, rows in found.items()}

    def _require(self, column: str) -> None:
        if missing := next((row for row in self.rows if column not in row.columns), None):
            known = ", ".join(missing.columns)
            raise ManifestError(f"{self.path}, line {missing.line}: there is no column {column!r}, only {known}")


def read_manifest(path: str | Path) -> Manifest:
    """Read a manifest and check every row of it.

    Args:
        path: a file ending in .csv, .jsonl or .parquet.

    Raises:
        ManifestError: the manifest or a clip is missing, a column or value is wrong; the text names the line.
        MissingExtraError: Parquet without pyarrow.
    """
    path = Path(path)
    if path.suffix.lower() not in READERS:
        raise ManifestError(f"{path}: a manifest is one of {', '.join(READERS)}; convert or rename it")
    if not path.is_file():
        raise ManifestError(f"{path}: there is no such manifest; check the path")
    try:
        records = list(READERS[path.suffix.lower()](path))
    except UnicodeDecodeError:
        raise ManifestError(f"{path}: this isn't UTF-8 text; save the manifest as UTF-8") from None
    if not records:
        raise ManifestError(f"{path}: there are no rows; list one clip a line")
    return Manifest(path, tuple(_row(path, line, record) for line, record in records))


def check_leaks(manifest: Manifest, columns: Sequence[str] = LEAK_COLUMNS) -> list[str]:
    """The groups that stand in more than one split, one sentence each; empty = the splits are disjoint.

    A column that the manifest lacks, and a row that leaves it empty or `unknown`, names no group.
    """
    leaks = []
    for column in columns:
        groups: dict[str, list[Row]] = {}
        for row in manifest.rows:
            name = str(row.path) if column == "path" else row.columns.get(column, "")
            if row.split is not None and name not in UNNAMED:
                groups.setdefault(name, []).append(row)
        leaks += [text for name, rows in groups.items() if (text := _leak(column, name, rows))]
    return leaks


def _leak(column: str, name: str, rows: list[Row]) -> str | None:
    first = {row.split: row.line for row in reversed(rows)}
    if len(first) == 1:
        return None
    places = ", ".join(f"{split} (line {first[split]})" for split in get_args(Split) if split in first)
    return f"{column} {name!r} stands in {places}"


def _row(manifest: Path, line: int, record: Mapping[str, str]) -> Row:
    where = f"{manifest}, line {line}"
    if not record.get("path"):
        raise ManifestError(f"{where}: there is no 'path'; every row needs one, relative to the manifest or absolute")
    path = (manifest.parent / record["path"]).resolve()
    if not path.is_file():
        raise ManifestError(f"{where}: there is no file {path}; mend the path or leave the row out")
    start, end = _seconds(record, "start", where), _seconds(record, "end", where)
    if end is not None and end <= (start or 0.0):
        raise ManifestError(f"{where}: 'end' {end} isn't after 'start' {start or 0.0}; give both in seconds")
    source = record.get("source", "")
    return Row(
        path,
        line,
        None if source in UNNAMED else source,
        _one_of(record.get("task", ""), get_args(Task), "task", where),
        _one_of(record.get("split", ""), get_args(Split), "split", where),
        start,
        end,
        record,
    )


def _one_of(value: str, known: tuple[T, ...], column: str, where: str) -> T | None:
    if value and value not in known:
        raise ManifestError(f"{where}: {column} {value!r} is none of {', '.join(known)}")
    return next((one for one in known if one == value), None)


def _seconds(record: Mapping[str, str], column: str, where: str) -> float | None:
    if not (text := record.get(column, "")):
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise ManifestError(f"{where}: {column} {text!r} isn't a number of seconds; give one, 0 or more")
    return value


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()


def _read_csv(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file, restkey="", restval="")
        try:
            for record in reader:
                if "" in record:
                    raise ManifestError(f"{path}, line {reader.line_num}: more fields than columns; quote commas")
                yield reader.line_num, {key: _text(value) for key, value in record.items()}
        except csv.Error as error:
            raise ManifestError(f"{path}, line {reader.line_num}: not CSV ({error}); mend the line") from None


def _read_jsonl(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    with path.open(encoding="utf-8-sig") as file:
        for line, text in enumerate(file, start=1):
            if not text.strip():
                continue
            try:
                record = json.loads(text)
            except json.JSONDecodeError as error:
                raise ManifestError(f"{path}, line {line}: not JSON ({error.msg}); give one object a line") from None
            if not isinstance(record, dict):
                raise ManifestError(f"{path}, line {line}: not a JSON object; give one object a line")
            yield line, {key: _text(value) for key, value in record.items()}


def _read_parquet(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingExtraError("a Parquet manifest", "parquet") from None
    try:
        table = pyarrow.parquet.read_table(path)
    except pyarrow.ArrowInvalid as error:
        raise ManifestError(f"{path}: not Parquet ({error}); write it again") from None
    for line, record in enumerate(table.to_pylist(), start=1):
        yield line, {key: _text(value) for key, value in record.items()}


READERS: Mapping[str, Callable[[Path], Iterator[tuple[int, dict[str, str]]]]] = {
    ".csv": _read_csv,
    ".jsonl": _read_jsonl,
    ".parquet": _read_parquet,
}
