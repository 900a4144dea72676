"""The corpus `microphones` of docs/papers.md: pieces of takes of five headsets, by where the sound came from.

    python benchmarks/papers_microphones.py MANIFEST OUT.csv

MANIFEST lists recordings with columns path, kind (real_recording counts), device and speaker. Of a named headset the
takes from the left, the right and the back teach, the wearer's own speech is development's, and the one from the front
is tested, as in examples/devices/headsets.py. Devices that are each somebody's own (device ends in `-unspecified`) are
strangers: half of the people in development, half in the test.
"""

import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import soundfile
import typer

sys.path.append(str(Path(__file__).parents[1] / "examples" / "devices"))

from headsets import ANYBODYS, split

from earwitness.manifest import Row, read_manifest


def pieces(row: Row, seconds: float) -> Iterator[dict[str, str | float]]:
    """A line for each piece of a recording, one every half of its length."""
    device = row.columns["device"]
    line = {"path": str(row.path), "task": "device", "split": split(row), "session": row.path.stem}
    line["source"] = "unknown" if device.endswith(ANYBODYS) else device
    for start in np.arange(0.0, soundfile.info(row.path).duration - seconds, seconds / 2):
        yield line | {"start": float(start), "end": float(start + seconds)}


def main(
    manifest: Annotated[Path, typer.Argument(help="Recordings of headsets and of other people's devices.")],
    out: Annotated[Path, typer.Argument(help="The manifest to write.")],
    seconds: Annotated[float, typer.Option(help="Length of a piece.")] = 3.0,
) -> None:
    """Write the manifest."""
    rows = [row for row in read_manifest(manifest).rows if row.columns["kind"] == "real_recording" and split(row)]
    lines = [line for row in rows for line in pieces(row, seconds)]
    with out.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)


if __name__ == "__main__":
    typer.run(main)
