"""The manifest of the starter's devices: headsets to enrol, held-out takes and strangers to calibrate with.

    python examples/devices/headsets.py MANIFEST --out headsets.csv

MANIFEST lists recordings with columns path, kind (real_recording counts), device and speaker: takes of named headsets
from the left, back, right and front (`_L_`, `_B_`, `_R_`, `_F_` in the file's name), which are enrolled whole, and of
the wearer speaking (`_S_`), which are held out; and clips of devices that nobody enrolls (device ends in
`-unspecified`), strangers. What is held out is cut into pieces, since an answer is asked of clips of that length.
"""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import soundfile
import typer

from earwitness.manifest import Row, read_manifest

LINK = "__voip"  # heard through a web conference: another chain, left out
ANYBODYS = "-unspecified"


def lines(row: Row, seconds: float) -> Iterator[dict[str, str]]:
    """What a recording is used for, a line each."""
    device, side = row.columns["device"], re.search(r"_([SLBRF])_", row.path.name)
    line = {"path": str(row.path), "task": "device", "session": row.path.stem, "speaker": row.columns["speaker"]}
    if device.endswith(LINK):
        return
    if side and side[1] != "S":
        yield line | {"source": device, "split": "train", "start": "", "end": ""}
        return
    length = soundfile.info(row.path).duration
    for piece in range(int(length // seconds)):
        edges = {"start": f"{piece * seconds:g}", "end": f"{(piece + 1) * seconds:g}"}
        yield line | {"source": "unknown" if device.endswith(ANYBODYS) else device, "split": "dev"} | edges


def main(
    manifest: Annotated[Path, typer.Argument(help="Recordings of headsets and of other people's devices.")],
    out: Annotated[Path, typer.Option(help="Manifest to write.")],
    seconds: Annotated[float, typer.Option(help="Length of a piece of what is held out.")] = 4.0,
) -> None:
    """Write who is enrolled, and what the thresholds are learned from."""
    rows = [row for row in read_manifest(manifest).rows if row.columns["kind"] == "real_recording"]
    found = [line for row in rows for line in lines(row, seconds)]
    with out.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(found[0]))
        writer.writeheader()
        writer.writerows(found)


if __name__ == "__main__":
    typer.run(main)
