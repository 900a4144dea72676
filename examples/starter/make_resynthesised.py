"""Make genuine speech again with WORLD and with Griffin-Lim, sources of their own in the starter registry.

A clip stays in the split of the recording it was made from, so no speaker stands in two. The voice names the
settings.
"""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import make_clips
import numpy as np
import soundfile
import soxr
import typer
import vocode_griffin_lim
from make_genuine import Row, read_rows, write_rows
from make_strangers import drawn, program, remade
from rich.progress import track

PITCHES = (0.9, 1.1)
MEL_RATE = 22_050  # Hz
LINEAR_RATES = (16_000, 22_050, 24_000)  # Hz
LINEAR_SIZES = ((1024, 256), (2048, 512))  # window and hop in samples
ITERATIONS = (30, 61)  # at least, fewer than
MOMENTA = (0.0, 0.99)

Vocoder = Callable[[list[Row], Path, np.random.Generator], list[Row]]
"""Makes clips again as WAV files in a folder and returns their rows, each with the file's path and the voice."""


def world(python: Path, clips: list[Row], folder: Path, rng: np.random.Generator) -> list[Row]:
    """Make clips again with WORLD at pitches near their own."""
    facts = {"family": "vocoder", "method": "WORLD", "engine": "pyworld", "version": "0.3.5"}
    rows = [row | {"voice": f"world-{row['native_rate']}"} for row in remade(clips, folder, facts)]
    orders: list[dict[str, object]] = [
        {"speech": clip["path"], "pitch": pitch, "wav": row["path"]}
        for clip, row, pitch in zip(clips, rows, rng.uniform(*PITCHES, len(clips)).tolist(), strict=True)
    ]
    program([str(python), str(Path(__file__).with_name("vocode_world.py"))], orders, folder)
    return rows


def griffin_lim(clips: list[Row], folder: Path, rng: np.random.Generator) -> list[Row]:
    """Make clips again with Griffin-Lim, every other one from 80 mel bands."""
    facts = {"family": "vocoder", "method": "fast Griffin-Lim", "engine": "vocode_griffin_lim.py", "version": "1"}
    rows = []
    for index, row in enumerate(remade(clips, folder, facts)):
        mel = index % 2 == 0
        rate = MEL_RATE if mel else int(rng.choice(LINEAR_RATES))
        size, hop = LINEAR_SIZES[0] if mel else LINEAR_SIZES[rng.integers(2)]
        samples = soxr.resample(*soundfile.read(clips[index]["path"]), rate)
        wanted = np.abs(vocode_griffin_lim.spectrum(samples, size, hop))
        wanted = vocode_griffin_lim.through_mel(wanted, rate, size) if mel else wanted
        settings = (int(rng.integers(*ITERATIONS)), float(rng.choice(MOMENTA)))
        made = vocode_griffin_lim.griffin_lim(wanted, size, hop, samples.size, *settings, rng)
        soundfile.write(row["path"], made, rate, subtype="FLOAT")
        rows.append(row | {"voice": f"{'mel80' if mel else 'linear'}-{size}-{hop}-{rate}"})
    return rows


def collected(
    source: str, make: Vocoder, clips: list[Row], split: str, out: Path, rng: np.random.Generator
) -> list[Row]:
    """Make one vocoder's clips of a split, bring them to the collection's form and return their rows."""
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        for index, row in enumerate(track(make(clips, Path(scratch), rng), f"{source} {split}")):
            path = Path(source, split, f"{source}_{split}_{index:04d}.flac")
            form = make_clips.finish(Path(row["path"]), out / path, rng)
            rows.append(row | {"source": source, "path": str(path), "voice_in_train": "1"} | form)
    return rows


def main(
    out: Annotated[Path, typer.Option(help="Folder for the clips and manifest.csv.")],
    speech: Annotated[Path, typer.Option(help="Manifest of make_genuine.py.")],
    world_python: Annotated[Path, typer.Option(help="Interpreter of the environment that holds pyworld.")],
    train: Annotated[int, typer.Option(help="Training clips of each vocoder.", min=1)] = 100,
    dev: Annotated[int, typer.Option(help="Development clips of each vocoder.", min=1)] = 30,
    seed: Annotated[int, typer.Option(help="Draws clips and settings.")] = 2,
) -> None:
    """Make genuine clips again with two vocoders and list them in a manifest."""
    rng = np.random.default_rng(seed)
    genuine = read_rows(speech)
    rows = []
    vocoders: dict[str, Vocoder] = {"world": partial(world, world_python), "griffin-lim": griffin_lim}
    for source, make in vocoders.items():
        for split, count in (("train", train), ("dev", dev)):
            clips = drawn([row for row in genuine if row["split"] == split], count, rng)
            rows += collected(source, make, clips, split, out, rng)
    write_rows(out / "manifest.csv", make_clips.COLUMNS, rows)


if __name__ == "__main__":
    typer.run(main)
