"""The formats of a screening: how a verdict becomes bytes, and how the bytes become the finished file."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, get_type_hints

from earwitness.errors import MissingExtraError, OptionError
from earwitness.types import Verdict

__all__ = ["COLUMNS", "Row", "Sink", "flatten", "sink_for"]

Row = Mapping[str, Any]
"""A verdict as plain data: `Verdict.to_dict()`."""

BATCH = 4096  # rows in one row group of a Parquet file
NUMBERS: Mapping[Any, str] = {int: "int64", float: "float64", float | None: "float64"}
TYPES = get_type_hints(Verdict)

COLUMNS: Mapping[str, str] = {"schema": "int64"} | {
    field.name: NUMBERS.get(TYPES[field.name], "string") for field in fields(Verdict)
}
"""The columns of a table and their types; a nested field is a string of JSON."""


def flatten(row: Row) -> dict[str, Any]:
    """The row with its nested fields as JSON text."""
    return {
        name: json.dumps(value) if isinstance(value, list | tuple | Mapping) else value for name, value in row.items()
    }


class Sink(Protocol):
    """A format. Rows are appended to `rows_file` while the screening runs; `finish` makes the file asked for."""

    header: bytes

    def rows_file(self, out: Path) -> Path:
        """Where the rows go until the end."""

    def encode(self, row: Row) -> bytes:
        """One row, ready to be appended."""

    def finish(self, out: Path) -> None:
        """Make `out` of the rows."""


class JsonLines:
    """One JSON object a line."""

    header = b""

    def rows_file(self, out: Path) -> Path:
        """The output itself."""
        return out

    def encode(self, row: Row) -> bytes:
        """ASCII only, so that no name can break a line."""
        return json.dumps(row).encode() + b"\n"

    def finish(self, out: Path) -> None:
        """Nothing is left to do."""


class Csv:
    """A table of `COLUMNS`; None is an empty field."""

    header = (",".join(COLUMNS) + "\n").encode()

    def rows_file(self, out: Path) -> Path:
        """The output itself."""
        return out

    def encode(self, row: Row) -> bytes:
        """One record; a newline inside a field is quoted."""
        text = io.StringIO()
        csv.DictWriter(text, COLUMNS, lineterminator="\n").writerow(flatten(row))
        return text.getvalue().encode()

    def finish(self, out: Path) -> None:
        """Nothing is left to do."""


class Parquet(JsonLines):
    """A typed table of `COLUMNS`. Parquet can't be appended to, so the rows wait in `OUT.rows.jsonl`."""

    def __init__(self) -> None:
        try:
            import pyarrow.parquet  # noqa: F401 - better missed before the run than after it
        except ImportError:
            raise MissingExtraError("writing Parquet", "parquet") from None

    def rows_file(self, out: Path) -> Path:
        """JSON Lines beside the output."""
        return out.with_name(out.name + ".rows.jsonl")

    def finish(self, out: Path) -> None:
        """Turn the rows into `out`, which is replaced whole or not at all."""
        import pyarrow as pa
        from pyarrow import parquet

        schema = pa.schema(list(COLUMNS.items()))
        part = out.with_name(out.name + ".part")
        with self.rows_file(out).open() as lines, parquet.ParquetWriter(part, schema) as writer:
            for rows in _batches(lines):
                writer.write_table(pa.Table.from_pylist(rows, schema=schema))
        part.replace(out)


def _batches(lines: Iterator[str]) -> Iterator[list[dict[str, Any]]]:
    while rows := [flatten(json.loads(line)) for line in islice(lines, BATCH)]:
        yield rows


SINKS: Mapping[str, Callable[[], Sink]] = {".jsonl": JsonLines, ".csv": Csv, ".parquet": Parquet}


def sink_for(out: Path) -> Sink:
    """The format that a file's ending names; OptionError for another, MissingExtraError without pyarrow."""
    if out.suffix.lower() not in SINKS:
        raise OptionError(f"--out {out} names no format: end it in {', '.join(SINKS)}")
    return SINKS[out.suffix.lower()]()
