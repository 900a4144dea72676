"""Recordings of two microphones joined: how often a registry says so, where, and how often of one it says so too.

    python benchmarks/devices_splices.py --model DIR --manifest MANIFEST --root ROOT --out F.json

Real: takes from the left and right are enrolled, those from the back and front calibrate with clips of devices that
nobody enrolled, and the wearer's own speech is joined; MANIFEST is that of benchmarks/devices.py. Simulated: ROOT is
that of benchmarks/devices_simulated.py; `enrol` is enrolled, the first clip of each device in `snr100` calibrates and
the second is joined. Each part is 3 to 6 s of a take drawn at random; as they are, with a cross-fade of 20 ms, or at
equal level. Controls are two parts of one take joined in the same ways, and takes as they are.
"""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import numpy as np
import soundfile
import typer
from devices_clips import RATE, read_takes
from rich.progress import track

import earwitness
from earwitness.audio import read_clip
from earwitness.engine import Engine
from earwitness.evaluation import metrics
from earwitness.evaluation.development import calibrate_registry
from earwitness.evaluation.intervals import draws, interval
from earwitness.listening import Excerpt
from earwitness.manifest import read_manifest
from earwitness.model import Model
from earwitness.plugins import load_catalogue
from earwitness.types import FloatArray, IntArray, Mixed
from earwitness_registry import Registry

LEAST, MOST = 3.0, 6.0
FADE = 0.02
NEAR = 0.5
PIECE = 3.0
"""Seconds of a piece of a development take."""
FAR = 0.05
DRAWS = 300
WAYS = ("joined", "cross-faded", "at equal level")
STRANGER = "unknown"

Clip = tuple[str, Path]
"""A device and a recording of it."""


@dataclass(frozen=True)
class Material:
    """Recordings to enrol, to calibrate with (strangers' named `unknown`), and to join."""

    enrolled: Sequence[Clip]
    development: Sequence[Clip]
    tested: Sequence[Clip]


def real(manifest: Path) -> Material:
    """The takes of real microphones."""
    takes, strangers = read_takes(manifest)
    by_side = {side: [(t.device, t.path) for t in takes if t.side == side and not t.link] for side in "LRBFS"}
    far = [(STRANGER, take.path) for take in strangers]
    return Material(by_side["L"] + by_side["R"], by_side["B"] + by_side["F"] + far, by_side["S"])


def simulated(root: Path, devices: int) -> Material:
    """So many simulated devices, and as many strangers."""
    enrolled = [(row.source or "", row.path) for row in read_manifest(root / "enrol" / "manifest.csv").rows]
    known = list(dict.fromkeys(name for name, _ in enrolled))[:devices]
    clips: dict[str, list[Path]] = {}
    for row in read_manifest(root / "snr100" / "manifest.csv").rows:
        clips.setdefault(row.source or "", []).append(row.path)
    strangers = [name for name in clips if name not in {name for name, _ in enrolled}][:devices]
    return Material(
        [each for each in enrolled if each[0] in known],
        [(name, clips[name][0]) for name in known] + [(STRANGER, clips[name][0]) for name in strangers],
        [(name, clips[name][1]) for name in known],
    )


def calibrated(model: Path, material: Material, folder: Path) -> None:
    """A registry of the recordings, made at `folder`."""
    with Registry.create(folder, "splices") as made:
        Model.load(model, load_catalogue()).add_to(made, model)
    with Engine(Registry.open(folder), load_catalogue()) as engine:
        for _ in engine.enroll_many([(name, Excerpt(path)) for name, path in material.enrolled], "device"):
            pass
        calibrate_registry(engine, read_manifest(pieces(material.development, folder / "pieces.csv")), FAR)


def pieces(clips: Sequence[Clip], file: Path) -> Path:
    """A manifest of whole pieces of the clips."""
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("path", "source", "task", "start", "end"))
        for name, path in clips:
            length = soundfile.info(path).duration
            for start in np.arange(0.0, max(length - PIECE, 0.0) + 1e-6, PIECE):
                writer.writerow((path.absolute(), name, "device", start, min(start + PIECE, length)))
    return file


def joined(one: FloatArray, two: FloatArray, way: str) -> tuple[FloatArray, float]:
    """Two stretches (n,) and (m,) as one, and the second at which the other takes over: of a fade the middle."""
    if way == "cross-faded":
        size = round(FADE * RATE)
        rise = np.linspace(0.0, 1.0, size, dtype=np.float32)
        overlap = one[-size:] * (1 - rise) + two[:size] * rise
        return np.concatenate([one[:-size], overlap, two[size:]]), (len(one) - size / 2) / RATE
    if way == "at equal level":
        two = two * np.float32(np.sqrt(np.square(one).mean() / np.square(two).mean()))
    return np.concatenate([one, two]), len(one) / RATE


@dataclass(frozen=True)
class Joint:
    """Two devices, or twice the same, one after the other from the second `at` on; `samples` (n,) at RATE."""

    before: str
    after: str
    at: float
    samples: FloatArray


def joints(clips: Sequence[Clip], way: str, alike: bool, count: int) -> Iterator[Joint]:
    """So many joints, of two devices or of one recording."""
    rng = np.random.default_rng(0)
    for _ in range(count):
        first = int(rng.integers(len(clips)))
        others = [k for k, (name, _) in enumerate(clips) if (k == first if alike else name != clips[first][0])]
        pair = clips[first], clips[int(rng.choice(others))]
        one, two = (_stretch(path, rng) for _, path in pair)
        samples, at = joined(one, two, way)
        yield Joint(pair[0][0], pair[1][0], at, samples)


def _stretch(path: Path, rng: np.random.Generator) -> FloatArray:
    """A stretch of a recording, drawn at random."""
    samples = read_clip(path, RATE).samples
    size = min(round(rng.uniform(LEAST, MOST) * RATE), len(samples))
    start = int(rng.integers(len(samples) - size + 1))
    return samples[start : start + size]


def unspliced(clips: Sequence[Clip]) -> Iterator[Joint]:
    """Every recording as it is."""
    for name, path in clips:
        yield Joint(name, name, 0.0, read_clip(path, RATE).samples)


def asked(engine: Engine, found: Sequence[Joint], title: str) -> Iterator[tuple[Joint, Mixed | None]]:
    """Each joint with what the engine says of a change."""
    with TemporaryDirectory() as folder:
        for number, joint in enumerate(track(found, title)):
            file = Path(folder) / f"{number}.wav"
            soundfile.write(file, joint.samples, RATE, subtype="FLOAT")
            yield joint, engine.identify(file, "device", segments=True)[0].mixed


def figures(answers: Sequence[tuple[Joint, Mixed | None]]) -> Mapping[str, list[float]]:
    """How often a change was told, and how true it was: [it, low, high], the first device drawn anew."""
    told = np.array([mixed is not None for _, mixed in answers])
    named = np.array([m is not None and (m.before, m.after) == (j.before, j.after) for j, m in answers])
    errors = np.array([abs(m.at - j.at) if m else np.nan for j, m in answers])
    two = any(joint.before != joint.after for joint, _ in answers)

    def over(rows: IntArray) -> dict[str, float]:
        if not two or not told[rows].any():
            return {"told": metrics.mean(told[rows])}
        right = errors[rows][told[rows]]
        return {
            "told": metrics.mean(told[rows]),
            "both named rightly": metrics.mean(named[rows][told[rows]]),
            "median error": float(np.median(right)),
            f"within {NEAR:g} s": metrics.mean(right <= NEAR),
        }

    drawn = [over(rows) for rows in draws([[joint.before for joint, _ in answers]], None, DRAWS)]
    whole = over(np.arange(len(answers)))
    return {name: [value, *interval(each.get(name, np.nan) for each in drawn)] for name, value in whole.items()}


def measured(model: Path, material: Material, count: int, title: str) -> dict[str, Any]:
    """Every way of joining, and the controls."""
    with TemporaryDirectory() as folder:
        calibrated(model, material, Path(folder) / "registry")
        with earwitness.open(Path(folder) / "registry") as engine:
            found: dict[str, Any] = {}
            for kind, alike in (("two devices", False), ("one device", True)):
                for way in WAYS:
                    drawn = list(joints(material.tested, way, alike, count))
                    found[f"{kind}, {way}"] = figures(list(asked(engine, drawn, f"{title}, {kind}, {way}")))
            whole = list(unspliced(material.tested))
            found["one device, as it is"] = figures(list(asked(engine, whole, f"{title}, as it is")))
    return found


def main(
    model: Annotated[Path, typer.Option(help="A trained model's folder.")],
    out: Annotated[Path, typer.Option(help="JSON to write.")],
    manifest: Annotated[Path | None, typer.Option(help="CSV of real takes.")] = None,
    root: Annotated[Path | None, typer.Option(help="Folder of the simulated corpora.")] = None,
    count: Annotated[int, typer.Option(help="Joints of each kind.")] = 60,
    devices: Annotated[int, typer.Option(help="Simulated devices enrolled.")] = 20,
) -> None:
    """Measure and write the figures."""
    results = {}
    if manifest:
        results["real"] = measured(model, real(manifest), count, "real")
    if root:
        results["simulated"] = measured(model, simulated(root, devices), count, "simulated")
    out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    typer.echo(json.dumps(results, indent=1))


if __name__ == "__main__":
    typer.run(main)
