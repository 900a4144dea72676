"""Figures into measured.json: what is kept of them, and writing that others wait for."""

import fcntl
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from papers_answers import clips_of
from papers_read import read_measured

from earwitness.bench.machine import stamp
from earwitness.manifest import Manifest
from earwitness_registry.files import file_sha256, write_whole

__all__ = ["basis", "open_measured", "quality"]

QUALITY = ("accuracy", "macro_f1_known", "macro_f1_open", "auroc")
SPAN = re.compile(r"\[\s+([-.\d]+),\s+([-.\d]+)\s+\]")
"""Two numbers that JSON gives a line each."""


def quality(figures: Mapping[str, Any]) -> dict[str, Any]:
    """What figures say of quality, with its intervals."""
    kept = {name: round(figures[name], 4) for name in QUALITY if figures.get(name) is not None}
    spans = {name: span for name, span in figures.get("intervals", {}).items() if name in kept and None not in span}
    return {**kept, "intervals": {name: [round(end, 4) for end in span] for name, span in spans.items()}}


def basis(manifest: Manifest, *, leaky: bool = False) -> dict[str, Any]:
    """What the figures of a corpus rest on."""
    return {
        "clips": len(manifest.rows),
        "sources": len({row.source for row in manifest.rows if row.source}),
        "manifest_sha256": file_sha256(manifest.path),
        "machine": stamp(),
        "leaky": leaky,
        **clips_of(manifest),
    }


@contextmanager
def open_measured(file: Path, lock: Path) -> Iterator[dict[str, Any]]:
    """What a file holds, to be changed; others who hold to the same lock wait meanwhile."""
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        data = read_measured(file)
        yield data
        data["date"] = datetime.now(UTC).date().isoformat()
        text = json.dumps(data, indent=1, sort_keys=True, allow_nan=False) + "\n"
        write_whole(file, SPAN.sub(r"[\1, \2]", text).encode())
