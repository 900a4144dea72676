"""Sounds and registries that several tests need."""

import os
import subprocess
import sys

import numpy as np
import pytest
import soundfile

RATE = 16000
PITCH = {"acme/voice-2": (90.0, 0.5), "zeta": (210.0, 0.95)}


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
        return found

    return pretend
