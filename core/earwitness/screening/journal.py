"""Rows on disk, and the journal that lets a killed run go on without losing or repeating a clip.

The rows of a clip are appended first; then one line in `OUT.journal` says that the clip is done and at which
byte its rows end. Whatever a kill tears, rows or journal, lies past the last whole line of the journal and is
cut off on resuming. The journal stays, so that clips that come later can be added by resuming again.
"""

import json
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from earwitness.errors import OptionError
from earwitness.screening.sinks import Row, sink_for
from earwitness_registry.files import claimed

__all__ = ["Journal"]


class Journal:
    """The output of one screening, open for appending: `done` holds the clips whose rows are written.

    `settings` are what all runs into one output must share. A clip is known by its path as it was given.

    Raises:
        OptionError: the output exists and is not to be resumed, can't be resumed, or is in use.
        MissingExtraError: Parquet without pyarrow.
    """

    def __init__(self, out: Path, settings: Mapping[str, Any], resume: bool) -> None:
        self._out, self._sink = out, sink_for(out)
        rows, log = self._sink.rows_file(out), out.with_name(out.name + ".journal")
        _check(out, rows, log, resume)
        out.parent.mkdir(parents=True, exist_ok=True)
        self.done: set[str] = set()
        with ExitStack() as files:
            self._log = files.enter_context(log.open("a+b"))
            self._lock()
            self._rows = files.enter_context(rows.open("ab"))
            if not (resume and self._recover(settings)):
                self._begin(settings)
            self._files = files.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._files.close()

    def write(self, clip: str, rows: Iterable[Row]) -> None:
        """Append all rows of a clip, then note it as done."""
        self._append(b"".join(map(self._sink.encode, rows)), {"clip": clip})
        self.done.add(clip)

    def finish(self) -> None:
        """Make the output of the rows written so far."""
        self._sink.finish(self._out)

    def _append(self, data: bytes, entry: Mapping[str, Any]) -> None:
        """Order matters: the rows reach the system before the line that vouches for them."""
        self._rows.write(data)
        self._rows.flush()
        self._log.write(json.dumps({**entry, "end": self._rows.tell()}).encode() + b"\n")
        self._log.flush()

    def _begin(self, settings: Mapping[str, Any]) -> None:
        self._cut(0, 0)
        self._append(self._sink.header, {"settings": settings})

    def _recover(self, settings: Mapping[str, Any]) -> bool:
        """Take up what an earlier run finished and cut off the rest; False when it finished nothing."""
        self._log.seek(0)
        *lines, _torn = self._log.read().split(b"\n")
        size, kept, end = self._rows.tell(), 0, 0
        try:
            entries = [(len(line) + 1, json.loads(line)) for line in lines]
        except ValueError:
            raise OptionError(f"{self._log.name} is damaged: choose another --out") from None
        for length, entry in entries:
            if entry["end"] > size:
                break
            if entry.get("settings", settings) != settings:
                raise OptionError(f"{self._out} was begun with {entry['settings']}: resume with the same options")
            if "clip" in entry:
                self.done.add(entry["clip"])
            kept, end = kept + length, entry["end"]
        self._cut(kept, end)
        return kept > 0

    def _cut(self, log: int, rows: int) -> None:
        self._log.truncate(log)
        self._rows.truncate(rows)
        self._rows.seek(rows)

    def _lock(self) -> None:
        if not claimed(self._log):
            raise OptionError(f"another screening writes to {self._out}: wait for it or choose another --out")


def _check(out: Path, rows: Path, log: Path, resume: bool) -> None:
    """Never write over what isn't a run to go on with."""
    present = [file for file in (out, rows) if file.exists()]
    if present and not resume:
        raise OptionError(f"{present[0]} exists already: add --resume to go on with it, or choose another --out")
    if present and not log.exists():
        raise OptionError(f"{present[0]} has no journal beside it ({log.name}) to resume by: choose another --out")
