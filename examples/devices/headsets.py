"""The manifest of the starter's devices: takes of headsets, and clips of devices that nobody enrols.

    python examples/devices/headsets.py MANIFEST

MANIFEST lists recordings with columns path, kind (real_recording counts), device and speaker; headsets.csv is written
beside it, so that paths stay short. Of a named headset the takes from the left, back and right (`_L_`, `_B_`, `_R_` in
the file's name) are enrolled whole (train), the wearer's own speech (`_S_`) calibrates (dev), for a threshold must bear
another voice, and the take from the front (`_F_`) tests. Of devices that are each somebody's own (device ends in
`-unspecified`), half of the people calibrate and half test. What isn't enrolled is cut into pieces, since an answer is
asked of clips of that length; those that calibrate overlap by half, for fewer would not bear a threshold for splices.
"""

import csv
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import soundfile
import typer

from earwitness.manifest import Row, read_manifest

LINK = "__voip"  # heard through a web conference: another chain, left out
ANYBODYS = "-unspecified"


def split(row: Row) -> str:
    """Which split a recording is of; empty for one that is left out."""
    side = re.search(r"_([SLBRF])_", row.path.name)
    if row.columns["device"].endswith(ANYBODYS):
        return ("dev", "test")[hashlib.sha256(row.columns["speaker"].encode()).digest()[0] % 2]
    if side is None or row.columns["device"].endswith(LINK):
        return ""
    return {"S": "dev", "F": "test"}.get(side[1], "train")


def lines(row: Row, seconds: float) -> Iterator[dict[str, str]]:
    """A line for each piece of a recording, or for the whole of one that is enrolled."""
    device, part = row.columns["device"], split(row)
    line = {"path": row.columns["path"], "task": "device", "split": part, "session": row.path.stem}
    line |= {"source": "unknown" if device.endswith(ANYBODYS) else device, "owner": row.columns["speaker"]}
    if part == "train":
        yield line | {"start": "", "end": ""}
    elif part:
        step = seconds / 2 if part == "dev" else seconds
        for start in np.arange(0.0, soundfile.info(row.path).duration - seconds, step):
            yield line | {"start": f"{start:g}", "end": f"{start + seconds:g}"}


def main(
    manifest: Annotated[Path, typer.Argument(help="Recordings of headsets and of other people's devices.")],
    seconds: Annotated[float, typer.Option(help="Length of a piece of what isn't enrolled.")] = 4.0,
) -> None:
    """Write who is enrolled, calibrated with and tested."""
    rows = [row for row in read_manifest(manifest).rows if row.columns["kind"] == "real_recording"]
    found = [line for row in rows for line in lines(row, seconds)]
    with manifest.with_name("headsets.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(found[0]))
        writer.writeheader()
        writer.writerows(found)


if __name__ == "__main__":
    typer.run(main)
