"""Development clips as the world hands them on: each once more, after one codec, in noise, through a telephone, or cut.

    python examples/starter/degrade.py MANIFEST OUT --split dev --seed 0

Thresholds and the weights of experts are learned from them, so that a registry knows what a poor clip is worth.
Writes OUT/manifest.csv, with a column `condition`.
"""

import csv
from pathlib import Path
from typing import Annotated

import numpy as np
import soundfile
import typer
from rich.progress import track

from earwitness.audio import read_clip
from earwitness.manifest import Row, read_manifest
from earwitness.plugins import load_catalogue
from earwitness.types import FloatArray

CONDITIONS = ("mp3", "aac", "opus", "amr", "noise", "band", "cut")


def degraded(samples: FloatArray, rate: int, condition: str, rng: np.random.Generator) -> FloatArray:
    """A clip after one condition, (n,) -> (m,)."""
    catalogue = load_catalogue()
    if condition == "cut":
        length = round(rng.uniform(1.0, 3.0) * rate)
        start = int(rng.integers(max(1, len(samples) - length)))
        return samples[start : start + length]
    if condition in ("noise", "band"):
        settings = {"ratio": (15.0, 30.0)} if condition == "noise" else {}
        return np.asarray(catalogue.get("degradation", condition)(**settings)(samples, rate, rng))
    return np.asarray(catalogue.get("degradation", "codec")(codec=condition)(samples, rate, rng))


def written(row: Row, number: int, out: Path, seed: int) -> dict[str, str]:
    """One clip after the condition that is its turn, as a FLAC file, and its line of the manifest."""
    clip, condition = read_clip(row.path), CONDITIONS[number % len(CONDITIONS)]
    samples = degraded(clip.samples, clip.rate, condition, np.random.default_rng([seed, number]))
    file = out / f"{row.source or 'stranger'}_{number:04d}_{condition}.flac"
    soundfile.write(file, np.clip(samples, -1.0, 1.0), clip.rate, subtype="PCM_16")
    seconds = f"{len(samples) / clip.rate:.3f}"
    return {**row.columns, "path": file.name, "condition": condition, "seconds": seconds}


def main(
    manifest: Annotated[Path, typer.Argument(help="Manifest of clean clips.")],
    out: Annotated[Path, typer.Argument(help="Folder to make.")],
    split: Annotated[str, typer.Option(help="The split to degrade.")] = "dev",
    seed: Annotated[int, typer.Option(help="What all chance comes from.")] = 0,
) -> None:
    """Degrade every clip of a split once, the conditions in turn."""
    rows = read_manifest(manifest).select(split=split).rows
    out.mkdir(parents=True, exist_ok=True)
    lines = [written(row, number, out, seed) for number, row in enumerate(track(rows, "degrading"))]
    with (out / "manifest.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)


if __name__ == "__main__":
    typer.run(main)
