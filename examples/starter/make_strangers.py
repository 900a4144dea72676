"""Make the strangers of the starter registry: speech of systems it does not know, to set its threshold by.

GnuSpeech speaks sentences of its own; a linear predictive vocoder makes genuine development clips again, and made-up
upsamplers leave their lattice on such clips. Each clip stands in the development split and has the form of
make_clips.py's.

Paper: Hill, Taube-Schock, Manzara 2017, "Low-level articulatory synthesis: A working text-to-speech solution and a
linguistic tool" (GnuSpeech); vocode_lpc.py and vocode_lattice.py name theirs.
"""

import json
import subprocess
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
import vocode_lattice
import vocode_lpc
from make_genuine import Row, read_rows, write_rows
from rich.progress import track

VOICES = ("male", "female", "large_child", "small_child", "baby")
TEMPOS = (0.8, 1.3)

Stranger = Callable[[int, Path, np.random.Generator], list[Row]]
"""Makes a count of clips as WAV files in a folder and returns their rows, each with the file's path."""


def program(command: list[str], orders: list[dict[str, object]], folder: Path) -> None:
    """Run a program beside this script on a file of orders."""
    path = folder / "orders.json"
    path.write_text(json.dumps(orders), encoding="utf-8")
    subprocess.run([*command, str(path)], check=True, stdout=subprocess.DEVNULL)


def gnuspeech(modules: Path, taken: str, count: int, folder: Path, rng: np.random.Generator) -> list[Row]:
    """Speak random sentences, none of the taken text, with GnuSpeech's voices at random tempos."""
    texts = [text for text in make_clips.sentences(2 * count, rng) if text.rstrip(".?!") not in taken][:count]
    rows = [
        {"path": str(folder / f"{index}.wav"), "text": text, "text_id": f"stranger{index:04d}", "language": "en"}
        | dict.fromkeys(("speaker", "voice"), VOICES[index % len(VOICES)])
        | {"family": "articulatory", "method": "vocal tract model (waveguide)", "engine": "gnuspeech-wasm"}
        | {"version": "0.3.0", "corpus": "@echogarden/gnuspeech-wasm 0.3.0", "license": "GPL-3.0 (the program)"}
        for index, text in enumerate(texts)
    ]
    tempos = rng.uniform(*TEMPOS, count).tolist()
    orders: list[dict[str, object]] = [
        {"text": row["text"], "voice": row["voice"], "tempo": tempo, "wav": row["path"]}
        for row, tempo in zip(rows, tempos, strict=True)
    ]
    program(["node", str(Path(__file__).with_name("speak_gnuspeech.mjs")), str(modules.resolve())], orders, folder)
    return rows


def drawn(speech: list[Row], count: int, rng: np.random.Generator) -> list[Row]:
    """Return random clips, none a second time before each was drawn once."""
    return [speech[index] for index in np.resize(rng.permutation(len(speech)), count)]


def remade(clips: list[Row], folder: Path, facts: Row) -> list[Row]:
    """Return the rows of clips that a vocoder makes again: who speaks and what stays, the rest is the vocoder's."""
    return [clip | facts | {"path": str(folder / f"{index}.wav")} for index, clip in enumerate(clips)]


def lpc(speech: list[Row], count: int, folder: Path, rng: np.random.Generator) -> list[Row]:
    """Make genuine clips again with the linear predictive vocoder."""
    clips = drawn(speech, count, rng)
    rows = remade(clips, folder, {"family": "vocoder", "method": "LPC-24", "engine": "vocode_lpc.py", "version": "1"})
    for clip, row in zip(clips, rows, strict=True):
        samples, rate = soundfile.read(clip["path"])
        soundfile.write(row["path"], vocode_lpc.vocode(samples, rate, rng), rate, subtype="FLOAT")
    return rows


def lattice(speech: list[Row], count: int, folder: Path, rng: np.random.Generator) -> list[Row]:
    """Leave on genuine clips the lattice of upsamplers made up for them, one each."""
    clips = drawn(speech, count, rng)
    facts = {"family": "lattice", "method": "LPTV pattern", "engine": "vocode_lattice.py", "version": "1"}
    rows = []
    for clip, row in zip(clips, remade(clips, folder, facts), strict=True):
        upsampler = vocode_lattice.drawn(rng)
        samples = soxr.resample(*soundfile.read(clip["path"]), upsampler.rate)
        made = vocode_lattice.vocode(samples, upsampler, rng)
        soundfile.write(row["path"], made, upsampler.rate, subtype="FLOAT")
        rows.append(row | {"voice": str(upsampler)})
    return rows


def collected(source: str, make: Stranger, count: int, out: Path, rng: np.random.Generator) -> list[Row]:
    """Make one stranger's clips, bring them to the collection's form and return their rows."""
    held = {"source": source, "task": "system", "split": "dev", "voice_in_train": "0"}
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        for index, row in enumerate(track(make(count, Path(scratch), rng), source)):
            path = Path(source, "dev", f"{source}_dev_{index:04d}.flac")
            form = make_clips.finish(Path(row["path"]), out / path, rng)
            rows.append(row | held | {"path": str(path)} | form)
    return rows


def main(
    out: Annotated[Path, typer.Option(help="Folder for the clips and manifest.csv.")],
    speech: Annotated[Path, typer.Option(help="Manifest of make_genuine.py; its development split is used.")],
    clips: Annotated[Path, typer.Option(help="Manifest of make_clips.py; its sentences are not spoken again.")],
    node_modules: Annotated[Path, typer.Option(help="Folder in which npm installed GnuSpeech.")],
    count: Annotated[int, typer.Option(help="Clips of each system.", min=1)] = 80,
    seed: Annotated[int, typer.Option(help="Draws sentences and settings.")] = 1,
) -> None:
    """Make clips of three systems that the registry does not know and list them in a manifest."""
    genuine = [row for row in read_rows(speech) if row["split"] == "dev"]
    taken = "\n".join(row["text"] for row in read_rows(clips))
    strangers: dict[str, Stranger] = {
        "gnuspeech": partial(gnuspeech, node_modules, taken),
        "lpc-vocoder": partial(lpc, genuine),
        "lattice": partial(lattice, genuine),
    }
    draws = np.random.default_rng(seed).spawn(len(strangers))  # GnuSpeech's lengths vary and must not shift the others
    made = zip(strangers.items(), draws, strict=True)
    rows = [row for (source, make), rng in made for row in collected(source, make, count, out, rng)]
    write_rows(out / "manifest.csv", make_clips.COLUMNS, rows)


if __name__ == "__main__":
    typer.run(main)
