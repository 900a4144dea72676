"""A corpus of simulated recordings: speech from folders by speaker, in rooms, through drawn devices and codecs.

    python examples/devices/simulate.py OUT --speech SPEECH --devices 500 --clips 10 --speakers 0:100 --seed 0

What a clip says, who speaks, the room, the background, the level and the codec are drawn apart from the device, so
none of them tells it. Writes 16-bit FLAC and OUT/manifest.csv; the same seed gives the same files, whatever --workers.
"""

import csv
import hashlib
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Annotated

import numpy as np
import soundfile
import typer
from rich.progress import track

from earwitness.audio import find_clips, is_audio, read_clip, resampled
from earwitness.plugins import load_catalogue
from earwitness.types import FloatArray
from earwitness_devices.simulation import Ambience, Conference, Expander, Room, SimulatedDevice

LEVELS = (-38.0, -20.0)  # dB of full scale before the microphone, about telephony's -26 dB: near and far, soft and loud
MIX = ("none", "none", "none", "opus", "aac", "mp3", "amr", "mulaw")
CURVES = (".csv", ".txt")

Files = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a clip follows from, besides its device and number.

    `speakers` are the files of each; `place` numbers the rooms clips share, 0 gives each clip its own.
    """

    out: Path
    seed: int
    split: str
    rate: int
    seconds: float
    speakers: tuple[Files, ...]
    rooms: Files
    noises: Files
    places: int
    codecs: tuple[str, ...]
    ratio: tuple[float, float]


@lru_cache(maxsize=512)
def speech(file: str, rate: int) -> FloatArray:
    """A file's samples at the corpus's rate, (n,)."""
    return resampled(read_clip(Path(file)), rate).samples


def chosen(options: tuple[str, ...], rng: np.random.Generator) -> str:
    """One of them, empty if there are none."""
    return options[rng.integers(len(options))] if options else ""


def spoken(files: Files, plan: Plan, rng: np.random.Generator) -> FloatArray:
    """A stretch of one speaker at a drawn level, rid of its own background and colour, (n,)."""
    sound, count = speech(chosen(files, rng), plan.rate), round(plan.seconds * plan.rate)
    start = int(rng.integers(max(1, len(sound) - count + 1)))
    sound = np.resize(sound[start:], count)
    sound = Expander()(sound, plan.rate, rng)
    sound = np.asarray(load_catalogue().get("degradation", "equaliser")(deviation=2.0)(sound, plan.rate, rng))
    loudness = np.sqrt(np.mean(np.square(sound, dtype=np.float64)))
    level = rng.uniform(*LEVELS)
    return sound * np.float32(10.0 ** (level / 20.0) / max(loudness, 1e-6))


def sent(sound: FloatArray, codec: str, rate: int, rng: np.random.Generator) -> FloatArray:
    """What arrives of a recording, (n,) -> (n,); a conference codes with Opus."""
    if codec == "none":
        return sound
    if codec == "conference":
        sound, codec = Conference()(sound, rate, rng), "opus"
    name, options = (codec, {}) if codec == "cvsd" else ("codec", {"codec": codec})
    line = load_catalogue().get("degradation", name)(**options)
    return np.asarray(line(sound, rate, rng))


def recorded(device: SimulatedDevice, clip: int, plan: Plan) -> dict[str, str]:
    """One clip as a FLAC file, and its line of the manifest."""
    rng = np.random.default_rng([plan.seed, device.seed, device.brand, device.model, device.unit, clip])
    files = plan.speakers[rng.integers(len(plan.speakers))]
    place = int(rng.integers(plan.places)) if plan.places else int(rng.integers(1 << 31))
    room, noise, codec = (chosen(options, rng) for options in (plan.rooms, plan.noises, plan.codecs))
    sound = Room(seed=place, file=room)(spoken(files, plan, rng), plan.rate, rng)
    sound = Ambience(ratio=plan.ratio, seed=place, file=noise)(sound, plan.rate, rng)
    sound = device(sound, plan.rate, rng)
    sound = sent(sound, codec, plan.rate, rng)
    source = f"sim-{device.seed}-{device.brand}-{device.model}-{device.unit}"
    file = Path(source) / f"{clip:03d}.flac"
    (plan.out / source).mkdir(exist_ok=True)
    soundfile.write(plan.out / file, np.clip(sound, -1.0, 1.0), plan.rate, subtype="PCM_16")
    return {
        "path": str(file),
        "task": "device",
        "source": source,
        "split": plan.split,
        "speaker": Path(files[0]).parent.name,
        "session": f"{source}-{plan.seed}-{clip}",
        "room": Path(room).stem or f"drawn-{place}",
        "codec": codec,
        "response": Path(device.file).stem or "drawn",
        "brand": f"sim-{device.seed}-{device.brand}",
        "model": f"sim-{device.seed}-{device.brand}-{device.model}",
        "unit": source,
    }


def population(world: int, count: int, models: int, units: int, responses: Files = ()) -> list[SimulatedDevice]:
    """The first `count` devices of a world: `models` to a brand, `units` to a model.

    Models take given responses one after the other, and begin anew when these are through.
    """
    given = responses or ("",)
    return [
        SimulatedDevice(
            world, n // (models * units), n // units % models, n % units, file=given[n // units % len(given)]
        )
        for n in range(count)
    ]


def by_speaker(folders: Iterable[Path], part: str) -> tuple[Files, ...]:
    """The files of each speaker in a part `A:B` of them all, in an order that no corpus rules."""
    speakers = sorted(
        (folder for top in folders for folder in top.iterdir() if folder.is_dir()),
        key=lambda folder: hashlib.sha256(folder.name.encode()).digest(),
    )
    first, _, last = part.partition(":")
    kept = speakers[int(first or 0) : int(last) if last else None]
    if not kept:
        raise typer.BadParameter(f"no speaker in {part} of {len(speakers)}: widen --speakers")
    return tuple(tuple(map(str, find_clips([folder]))) for folder in kept)


def found(folder: Path | None) -> Files:
    """All recordings in a folder, or none without one."""
    return tuple(map(str, find_clips([folder]))) if folder else ()


def measured(folders: Iterable[Path]) -> Files:
    """All measured responses in folders: impulse responses, and curves as text."""
    files = (file for folder in folders for file in folder.rglob("*") if is_audio(file) or file.suffix in CURVES)
    return tuple(sorted(map(str, files)))


def bounds(text: str) -> tuple[float, float]:
    """`LOW:HIGH` as two numbers; one number stands for both."""
    low, _, high = text.partition(":")
    return float(low), float(high or low)


def main(
    out: Annotated[Path, typer.Argument(help="Folder to make.")],
    speech_folders: Annotated[list[Path], typer.Option("--speech", help="Speech, one folder a speaker.")],
    devices: Annotated[int, typer.Option(help="How many devices.")] = 200,
    clips: Annotated[int, typer.Option(help="Clips of each device.")] = 10,
    seconds: Annotated[float, typer.Option(help="Length of a clip.")] = 5.0,
    rate: Annotated[int, typer.Option(help="Sample rate in Hz.")] = 16_000,
    seed: Annotated[int, typer.Option(help="What all chance of the clips comes from.")] = 0,
    world: Annotated[int, typer.Option(help="The world of devices; another has none in common.")] = 0,
    models: Annotated[int, typer.Option(help="Models of a brand.")] = 4,
    units: Annotated[int, typer.Option(help="Units of a model.")] = 1,
    speakers: Annotated[str, typer.Option(help="Which speakers, A:B.")] = ":",
    split: Annotated[str, typer.Option(help="train, dev or test.")] = "train",
    responses: Annotated[
        list[Path] | None,
        typer.Option(help="Measured responses of devices that models take in place of drawn ones; give a world apart."),
    ] = None,
    rooms: Annotated[Path | None, typer.Option(help="Measured room responses; otherwise drawn.")] = None,
    noise: Annotated[Path | None, typer.Option(help="Background recordings; otherwise drawn.")] = None,
    places: Annotated[int, typer.Option(help="Drawn rooms that devices share; 0: one for each clip.")] = 0,
    codec: Annotated[
        str, typer.Option(help="One or more, by commas: none, conference, mix, cvsd, or a codec's name (msbc...).")
    ] = "none",
    snr: Annotated[str, typer.Option(help="Speech to background in dB, LOW:HIGH.")] = "20:60",
    workers: Annotated[int, typer.Option(help="Processes.")] = 2,
) -> None:
    """Simulate a corpus of recordings."""
    codecs = MIX if codec == "mix" else tuple(codec.split(","))
    voices = by_speaker(speech_folders, speakers)
    plan = Plan(out, seed, split, rate, seconds, voices, found(rooms), found(noise), places, codecs, bounds(snr))
    drawn = population(world, devices, models, units, measured(responses or ()))
    jobs = [(device, clip) for device in drawn for clip in range(clips)]
    out.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(workers) as pool, (out / "manifest.csv").open("w", encoding="utf-8", newline="") as stream:
        lines = pool.map(partial(recorded, plan=plan), *zip(*jobs, strict=True), chunksize=clips)
        for number, line in enumerate(track(lines, "simulating", total=len(jobs))):
            if not number:
                writer = csv.DictWriter(stream, list(line))
                writer.writeheader()
            writer.writerow(line)


if __name__ == "__main__":
    typer.run(main)
