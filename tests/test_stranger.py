"""A stranger's plugin, from its wheel: listed, trained, enrolled, identified, and gone after its uninstall."""

import csv
import json
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import numpy as np
import pytest

ACME = Path(__file__).parents[1] / "examples" / "acme-voice"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The plugin's wheel, built offline from a copy of its sources."""
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("acme")
    source = shutil.copytree(ACME, folder / "source", ignore=shutil.ignore_patterns("__pycache__", "dist"))
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], cwd=source, check=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """An environment that sees the engine as this one does, and takes plugins of its own."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    engine = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (site / "engine.pth").write_text("".join(f"import site; site.addsitedir({path!r})\n" for path in sorted(engine)))
    return folder / "bin" / "python"


def pip(python, *arguments):
    subprocess.run([sys.executable, "-m", "pip", "--python", python, *arguments], check=True, capture_output=True)


def test_a_stranger_comes_works_and_goes(wheel, python, voices, command, tmp_path):
    pip(python, "install", "--no-deps", "--no-index", wheel)

    def earwitness(*arguments, **options):
        return command(*arguments, python=python, **options)

    def plugins():
        return {p["distribution"]: p for p in json.loads(earwitness("plugins", "list", "--json").stdout)}

    acme = plugins()["acme-voice"]
    assert acme["problem"] is None
    assert acme["offers"] == {"frontend": ["third-octave"], "pipeline": ["acme-ltas"], "source": ["acme/voice-2"]}

    model, registry = tmp_path / "model", ("--registry", tmp_path / "registry")
    earwitness("train", "acme-ltas", "--manifest", voices, "--out", model)
    earwitness("registry", "init", "--model", model, *registry)
    earwitness("enroll", "--manifest", voices, "--split", "train", *registry)
    card = json.loads(earwitness("registry", "show", "acme/voice-2", "--json", *registry).stdout)
    assert (card["vendor"], len(card["clips"])) == ("Acme", 4)

    with voices.open() as file:
        tests = [row for row in csv.DictReader(file) if row["split"] == "test"]
    clips = [voices.parent / row["path"] for row in tests]
    verdicts = json.loads(earwitness("identify", *clips, "--json", *registry).stdout)
    assert [verdict["ranking"][0]["source"] for verdict in verdicts] == [row["source"] for row in tests]

    pip(python, "uninstall", "--yes", "acme-voice")
    assert "acme-voice" not in plugins()
    assert "'third-octave'" in earwitness("identify", clips[0], *registry, expect=2).stderr


def test_its_bands_hold_the_energy_of_a_tone_in_them(monkeypatch):
    """A sine in the middle of a band stands there, alone, by its power: sum |X|^2 = (a n / 4)^2 x 1.5 for Hann."""
    monkeypatch.syspath_prepend(ACME)
    from acme_voice.third_octave import ThirdOctave

    rate, n = 16000, 1024
    part = ThirdOctave()
    for band in (6, 9, 15):
        hertz = round(125 * 2 ** (band / 3) * n / rate) * rate / n
        tone = (0.1 * np.sin(2 * np.pi * hertz * np.arange(4 * n) / rate)).astype(np.float32)
        levels = part(tone[None], rate)  # (1, frames, bands)
        assert levels.shape == (1, 7, 18)
        assert (levels.argmax(axis=2) == band).all()
        np.testing.assert_allclose(levels[..., band], 10 * np.log10(1.5 * (0.1 * n / 4) ** 2), atol=0.05)


def test_a_window_stands_on_its_own_and_silence_is_finite(monkeypatch):
    monkeypatch.syspath_prepend(ACME)
    from acme_voice.third_octave import ThirdOctave

    windows = np.random.default_rng(0).standard_normal((3, 4000)).astype(np.float32)
    part = ThirdOctave()
    np.testing.assert_allclose(part(windows, 16000)[1:2], part(windows[1:2], 16000), rtol=1e-5)
    assert np.isfinite(part(np.zeros((1, 10), np.float32), 8000)).all()
