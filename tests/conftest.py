"""Sounds and registries that several tests need."""

import ast
import csv
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from earwitness.cli import main

RATE = 16000
PITCH = {"acme/voice-2": (90.0, 0.5), "zeta": (210.0, 0.95)}


def pytest_ignore_collect(collection_path):
    """In a base installation, leave out the files that import what only the extras bring."""
    if collection_path.suffix != ".py" or find_spec("torch"):
        return None
    tree = ast.parse(collection_path.read_text("utf-8"))
    names = [alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in tree.body if isinstance(node, ast.ImportFrom)]
    return True if any(find_spec(name.partition(".")[0]) is None for name in names) else None


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call():
    """Answer for SpeechBrain's lazy modules: Hypothesis asks each module for its file, and they would import k2."""
    for module in [*sys.modules.values()]:
        if any(kind.__name__ == "LazyModule" for kind in type(module).__mro__):
            vars(module).setdefault("__file__", None)


def voice(source, seed, seconds=4.5):
    """(n,): a pulse train at a source's own pitch, through one pole of its own, in a little noise."""
    rng = np.random.default_rng(seed)
    pitch, pole = PITCH[source]
    time = np.arange(round(seconds * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(pitch * (1 + 0.05 * np.sin(2 * np.pi * (2 + rng.random()) * time))) / RATE
    pulses = sum(pole**k * np.sin(k * phase) for k in range(1, 30))
    sound = pulses * (1 + 0.5 * np.sin(2 * np.pi * 4 * time)) + 0.02 * rng.standard_normal(len(time))
    return (0.3 * sound / np.abs(sound).max()).astype(np.float32)


@pytest.fixture(scope="session")
def voices(tmp_path_factory):
    """A manifest of two made-up voices: the first four clips of each to enrol, two to test."""
    folder = tmp_path_factory.mktemp("voices")
    rows = ["path,source,split"]
    for source in PITCH:
        for seed in range(6):
            name = f"{source.replace('/', '-')}-{seed}.wav"
            soundfile.write(folder / name, voice(source, seed), RATE)
            rows.append(f"{name},{source},{'train' if seed < 4 else 'test'}")
    manifest = folder / "manifest.csv"
    manifest.write_text("\n".join(rows))
    return manifest


@pytest.fixture
def command(tmp_path):
    """Run the command line in a process of its own, with a home of its own."""

    def run(*arguments, python=sys.executable, code="from earwitness.cli import main; main()", expect=0):
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("EARWITNESS", "PYTHON"))}
        homes = {"XDG_DATA_HOME": str(tmp_path / "data"), "XDG_CACHE_HOME": str(tmp_path / "cache")}
        done = subprocess.run(
            [python, "-c", code, *map(str, arguments)],
            capture_output=True,
            text=True,
            env={**kept, **homes},
            cwd=tmp_path,
        )
        assert done.returncode == expect, done.stdout + done.stderr
        return done

    return run


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Pretend that a distribution with one plugin is installed: (distribution, source code) -> its entry point."""
    from importlib.metadata import distributions

    from earwitness.plugins import load_catalogue

    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)

    def pretend(distribution, code, point=None):
        module = distribution.replace("-", "_")
        (site / f"{module}.py").write_text(code)
        info = site / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[earwitness]\n{point or distribution} = {module}\n")
        (found,) = (p for d in distributions(name=distribution, path=[str(site)]) for p in d.entry_points)
        monkeypatch.delitem(sys.modules, module, raising=False)
        load_catalogue.cache_clear()
        return found

    yield pretend
    load_catalogue.cache_clear()


BUMPS = {
    "alpha": (500, 1800, 3200),
    "beta": (900, 2400, 5200),
    "gamma": (300, 1300, 6500),
    "dev-one": (600, 2500, 4000),
    "dev-two": (500, 1800, 5200),
    "test-one": (900, 1900, 4200),
    "test-two": (300, 2200, 5800),
}
"""The spectral bumps in Hz by which made systems differ; the first three get enrolled."""
CLIPS = {"train": (6, 0), "dev": (8, 12), "test": (6, 5)}
"""Clips of each enrolled system, and of each stranger, by split."""


def buzz(system, seed, seconds=2.0, rate=RATE):
    """(n,): harmonics of a pitch of the seed's own, under a system's envelope, which wavers from clip to clip."""
    rng = np.random.default_rng([seed, *system.encode()])
    time = np.arange(round(seconds * rate)) / rate
    pitch, bumps = rng.uniform(90, 180), np.array(BUMPS[system]) * rng.uniform(0.9, 1.1, size=3)
    phase = 2 * np.pi * np.cumsum(pitch * (1 + 0.03 * np.sin(2 * np.pi * rng.uniform(2, 5) * time))) / rate
    sound = rng.uniform(0.02, 0.1) * rng.standard_normal(len(time))
    for k in range(1, int(7500 / pitch)):
        gain = 0.05 + sum(np.exp(-(((k * pitch - centre) / 250) ** 2)) for centre in bumps)
        sound += gain * np.sin(k * phase + rng.uniform(0, 2 * np.pi))
    return (0.3 * sound / np.abs(sound).max()).astype(np.float32)


def made_rows(folder):
    """Write the made clips and give their manifest's rows."""
    seed = 0
    for split, (known, strange) in CLIPS.items():
        names = ["alpha", "beta", "gamma", f"{split}-one", f"{split}-two"]
        for name, count in zip(names, [known] * 3 + [strange] * 2, strict=True):
            for i in range(count):
                seed += 1
                path = f"{split}-{name}-{i}.wav"
                soundfile.write(folder / path, buzz(name, seed), RATE)
                speaker, half = f"{split}-{name}-{i // 3}", ("even", "odd")[i % 2]
                yield {"path": path, "source": name, "split": split, "speaker": speaker, "text_id": seed, "half": half}


def write_manifest(file, rows):
    """Rows as CSV; paths stay relative to the first manifest's folder, where the clips are."""
    with file.open("w", newline="") as out:
        writer = csv.DictWriter(out, dict.fromkeys(key for row in rows for key in row))
        writer.writeheader()
        writer.writerows(rows)
    return file


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """Three made systems with strangers: clips, manifest, model, and a registry before and after calibration."""
    from earwitness.engine import open_engine
    from earwitness.evaluation import calibrate_registry
    from earwitness.loading import load_pipeline
    from earwitness.manifest import read_manifest
    from earwitness.plugins import load_catalogue
    from earwitness.training import train

    home = tmp_path_factory.mktemp("made")
    rows = list(made_rows(home))
    manifest = read_manifest(write_manifest(home / "manifest.csv", rows))
    pipeline = load_pipeline("lfcc-stats", load_catalogue(), ("window=1.0", "hop=0.5"))
    model = train(pipeline, manifest, home / "model", quiet=True)
    raw, registry = home / "raw", home / "registry"
    with pytest.raises(SystemExit, match="0"):
        main(["registry", "init", "--registry", str(raw), "--model", str(model), "--name", "made"])
    with open_engine(raw) as engine:
        pairs = [(row.source, row.path) for row in manifest.select(split="train").rows]
        assert {outcome.outcome for outcome in engine.enroll_many(pairs)} == {"added"}
    shutil.copytree(raw, registry)
    with open_engine(registry) as engine:
        calibrate_registry(engine, manifest.select(split="dev"), 0.05)
    return SimpleNamespace(home=home, rows=rows, manifest=manifest.path, model=model, raw=raw, registry=registry)


@pytest.fixture(scope="session")
def watched(voices):
    """Two voices as sources to learn; the clips of split 'test' watch."""
    from earwitness.manifest import read_manifest

    manifest = read_manifest(voices)
    return replace(manifest, rows=tuple(replace(r, split="dev") if r.split == "test" else r for r in manifest.rows))


@pytest.fixture(scope="session")
def phone_registry(made, tmp_path_factory):
    """The made systems as phones too, in the calibrated registry of systems, by a model that was added to it."""
    from earwitness.engine import open_engine
    from earwitness.evaluation import calibrate_registry
    from earwitness.loading import load_pipeline
    from earwitness.manifest import read_manifest
    from earwitness.plugins import load_catalogue
    from earwitness.training import train

    home = tmp_path_factory.mktemp("phones")
    settings = ("name=a-phone", "task=device", "window=0.9", "hop=0.45")
    model = train(
        load_pipeline("lfcc-stats", load_catalogue(), settings),
        read_manifest(made.manifest),
        home / "model",
        quiet=True,
    )
    folder = Path(shutil.copytree(made.registry, home / "registry"))
    with pytest.raises(SystemExit, match="0"):
        main(["registry", "add-model", str(model), "--registry", str(folder)])
    rows = [
        {**row, "path": made.home / row["path"], "source": f"phone-{row['source']}", "task": "device"}
        for row in made.rows
    ]
    manifest = read_manifest(write_manifest(home / "manifest.csv", rows))
    with open_engine(folder) as engine:
        pairs = [(row.source, row.path) for row in manifest.select(split="train").rows if row.source.count("-") == 1]
        assert {outcome.outcome for outcome in engine.enroll_many(pairs, "device")} == {"added"}
        calibrate_registry(engine, manifest.select(split="dev"), 0.1)
    return SimpleNamespace(folder=folder, manifest=manifest, model=model)


@pytest.fixture
def phones(phone_registry, tmp_path):
    """An engine that knows systems and phones, to be changed."""
    from earwitness.engine import open_engine

    with open_engine(Path(shutil.copytree(phone_registry.folder, tmp_path / "phones"))) as engine:
        yield engine


@pytest.fixture
def phone_dev(phone_registry):
    """Development clips of phones."""
    return phone_registry.manifest.select(split="dev")


EXPERTS = {
    "fine": "{name: fine, frontend: mfcc40, embedder: wccn, scorer: cell_lda, window: 0.5, hop: 0.5}",
    "whole": "{name: whole, frontend: lfcc60, embedder: stats, scorer: knn, rate: native, window: clip}",
}
"""Pipelines beside lfcc-stats that hear the made systems in windows of their own."""


@pytest.fixture(scope="session")
def ensemble(made, tmp_path_factory):
    """The made systems by three experts: pipeline, folder of models, and a registry before and after calibration."""
    pytest.importorskip("sklearn", reason="fitting an embedder needs the extra train")
    pytest.importorskip("torch", reason="fitting an embedder needs the extra train")
    home = tmp_path_factory.mktemp("ensemble")
    for name, recipe in EXPERTS.items():
        (home / f"{name}.yaml").write_text(recipe)
    pipeline, model, raw, registry = home / "ensemble.yaml", home / "model", home / "raw", home / "registry"
    of_files = "".join(f", {home}/{name}.yaml: {{}}" for name in EXPERTS)
    pipeline.write_text(f"{{name: ensemble, experts: {{lfcc-stats: {{window: 1.0, hop: 0.5}}{of_files}}}}}")
    for command in (
        ["train", pipeline, "--manifest", made.manifest, "--out", model],
        ["registry", "init", "--registry", raw, "--model", model, "--name", "ensemble"],
        ["enroll", "--manifest", made.manifest, "--split", "train", "--registry", raw],
    ):
        with pytest.raises(SystemExit, match="0"):
            main([str(argument) for argument in command])
    shutil.copytree(raw, registry)
    with pytest.raises(SystemExit, match="0"):
        main(["calibrate", "--manifest", str(made.manifest), "--registry", str(registry)])
    return SimpleNamespace(home=home, pipeline=pipeline, model=model, raw=raw, registry=registry)


@pytest.fixture
def registry_copy(made, tmp_path):
    """The made, calibrated registry, to be changed."""
    return Path(shutil.copytree(made.registry, tmp_path / "registry copy"))


@pytest.fixture
def splice_engine(made, registry_copy, monkeypatch):
    """The made registry, calibrated so that a fifth of unmixed clips may be taken for mixed: few bear no more."""
    from earwitness.engine import open_engine
    from earwitness.evaluation import calibrate_registry, splicing
    from earwitness.manifest import read_manifest

    monkeypatch.setattr(splicing, "FALSE_ALARMS", 0.2)
    with open_engine(registry_copy) as engine:
        calibrate_registry(engine, read_manifest(made.manifest).select(split="dev"), 0.05)
        yield engine


@pytest.fixture
def joined(made, tmp_path):
    """Test clips of made systems one after the other: names -> their file, and the second at which the first ends."""

    def join(*names):
        clips = [soundfile.read(made.home / f"test-{name}-0.wav")[0] for name in names]
        file = tmp_path / f"{'-'.join(names)}.wav"
        soundfile.write(file, np.concatenate(clips), RATE)
        return file, len(clips[0]) / RATE

    return join


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    """Run the command line in this process, with a home of its own: exit code, output, and errors."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("EARWITNESS_REGISTRY", raising=False)

    def run(*arguments):
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return SimpleNamespace(code=stop.value.code, out=said.out, err=said.err)

    return run


TRACER = """
from dataclasses import dataclass
from typing import ClassVar
from earwitness import hookimpl
from earwitness.types import Trace

@dataclass(frozen=True, slots=True)
class Acme:
    name: ClassVar[str] = "acme"
    reading: str = "acme 8 kHz, hop 100"

    def __call__(self, clip):
        if abs(clip.samples).max() < 1e-3:
            return ()
        end = len(clip.samples) / clip.rate
        return (Trace("upsampling", 80.0, self.reading, 9.12, 1e-8, (*range(15, 165, 15),), 0.0, end),)

@hookimpl
def register_tracers():
    return [Acme]
"""


@pytest.fixture
def tracer(install):
    """Have a plugin installed that sees the same lattice in all that isn't silent; its name for it."""
    install("acme-tracer", TRACER)
    return "acme 8 kHz, hop 100"
