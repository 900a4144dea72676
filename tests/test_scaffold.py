"""New plugins: of every kind a whole package, which installs, keeps all rules and works without an edit."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
from importlib.metadata import distributions
from importlib.util import find_spec
from typing import get_args
from unittest import SkipTest

import numpy as np
import pytest

from earwitness.errors import OptionError, PluginClashError
from earwitness.plugins import Catalogue, load_catalogue
from earwitness.scaffold import NewKind, write_plugin
from earwitness.speaking.making import plan_takes, speak_takes
from earwitness.testing import checks_of

KINDS = get_args(NewKind)
OFFERS = {
    "system": {"source"},
    "device": {"source"},
    "frontend": {"frontend", "pipeline"},
    "embedder": {"embedder", "pipeline"},
    "scorer": {"scorer", "pipeline"},
    "degradation": {"degradation"},
    "synthesizer": {"synthesizer"},
}

SPEAKER = """#!{python}
import sys, wave
if sys.argv[1] == "--version":
    print("acme-new 2.1")
elif sys.argv[2] != "default":
    sys.exit("there is no voice " + sys.argv[2])
else:
    text = sys.stdin.read()
    with wave.open(sys.argv[4], "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        for letter in text:
            period = 40 + ord(letter) % 60
            file.writeframes(b"".join(bytes((0, 32 + k % period)) for k in range(1200)))
"""
"""A program that speaks: each letter is 75 ms of a sawtooth of its own pitch."""


@pytest.fixture
def new(tmp_path, monkeypatch):
    """Write the plugin acme-new of a kind and pretend that it is installed: its folder, and a catalogue with it."""

    def make(kind):
        folder = write_plugin("acme-new", kind, tmp_path, load_catalogue())
        project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
        info = folder / f"acme_new-{project['version']}.dist-info"
        info.mkdir()
        lines = "".join(f"{n} = {module}\n" for n, module in project["entry-points"]["earwitness"].items())
        (info / "entry_points.txt").write_text(f"[earwitness]\n{lines}")
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
        )
        monkeypatch.syspath_prepend(folder)
        own = [point for d in distributions(name="acme-new", path=[str(folder)]) for point in d.entry_points]
        ours = [point for d in distributions(name="earwitness") for point in d.entry_points.select(group="earwitness")]
        return folder, Catalogue([*dict.fromkeys(ours), *own])

    yield make
    sys.modules.pop("acme_new", None)


@pytest.fixture
def speaker(tmp_path, monkeypatch):
    """Have the program acme-new, which speaks, on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "acme-new"
    program.write_text(SPEAKER.format(python=sys.executable))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.usefixtures("speaker")
@pytest.mark.parametrize("kind", KINDS)
def test_a_new_plugin_of_every_kind_keeps_every_rule(kind, new):
    _, catalogue = new(kind)
    plugin = catalogue.plugins[-1]
    assert (plugin.distribution, plugin.version, plugin.problem) == ("acme-new", "0.1.0", None)
    assert plugin.offers == dict.fromkeys(OFFERS[kind], ("acme-new",))
    checks = checks_of("acme-new", catalogue)
    assert {check.kind for check in checks} == {"plugin", *OFFERS[kind]}
    for check in checks:
        try:
            check()
        except SkipTest as reason:
            pytest.fail(f"{check.name} was not asked: {reason}")


@pytest.mark.parametrize("kind", KINDS)
def test_its_code_is_in_style(kind, new):
    if not find_spec("ruff"):
        pytest.skip("ruff is not installed")
    folder, _ = new(kind)
    ruff = [sys.executable, "-m", "ruff"]
    subprocess.run([*ruff, "check", "--isolated", "--select", "E4,E7,E9,F,I,B,UP,N,RET,SIM", folder], check=True)
    subprocess.run([*ruff, "format", "--isolated", "--check", folder], check=True)


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_whole_and_says_what_it_is(kind, tmp_path):
    folder = write_plugin("acme-new", kind, tmp_path, load_catalogue())
    cards = {"acme_new/cards.yaml"} if "source" in OFFERS[kind] else set()
    files = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}
    assert files == {"pyproject.toml", "README.md", "acme_new/__init__.py", "tests/test_acme_new.py"} | cards
    texts = [file.read_text("utf-8") for file in folder.rglob("*") if file.is_file()]
    assert not any(re.search(r"\$\w|\$\{", text) for text in texts)
    (changed,) = re.findall(r"Change `(.+?)`", (folder / "README.md").read_text("utf-8"))
    assert (folder / changed).is_file()
    code = (folder / "tests" / "test_acme_new.py").read_text("utf-8")
    assert len([line for line in code.splitlines() if line]) <= 6


def test_the_new_scorer_is_the_nearest_mean_direction(new):
    """Against the formula in float64, source by source."""
    _, catalogue = new("scorer")
    from earwitness.testing.made import gallery

    enrolled, queries = gallery((5, 3, 1)), gallery((2, 2, 2), seed=3).embeddings
    scorer = catalogue.get("scorer", "acme-new")(scale=4.0)
    scores = scorer.score(scorer.fit(enrolled), enrolled, queries)
    for k in range(3):
        mean = enrolled.embeddings[enrolled.labels == k].astype(np.float64).mean(axis=0)
        np.testing.assert_allclose(scores.values[:, k], 4 * queries @ mean / np.linalg.norm(mean), atol=1e-5)
    np.testing.assert_array_equal(scores.knownness, scores.values.max(axis=1))


def test_the_new_frontend_keeps_the_energy_of_a_tone_in_its_band(new):
    _, catalogue = new("frontend")
    rate, n = 16000, 512
    part = catalogue.get("frontend", "acme-new")(frame=n / rate, bands=16)
    for bin_ in (24, 100, 200):
        tone = 0.5 * np.sin(2 * np.pi * bin_ * np.arange(4 * n) / n).astype(np.float32)
        levels = part(tone[None], rate)  # (1, frames, bands)
        assert (levels.argmax(axis=2) == bin_ * 16 // 257).all()
        np.testing.assert_allclose(levels.max(axis=2), np.log(1.5 * (0.5 * n / 4) ** 2), atol=0.05)


@pytest.mark.usefixtures("speaker")
def test_the_new_synthesizer_makes_a_corpus(new, tmp_path):
    _, catalogue = new("synthesizer")
    driver = catalogue.get("synthesizer", "acme-new")()
    assert driver.version() == "acme-new 2.1"
    out = tmp_path / "clips"
    out.mkdir()
    told = list(speak_takes(driver, plan_takes(driver, 3, out)))
    assert [fault for _, fault in told] == [None] * 3
    assert len({take.file.stat().st_size for take, _ in told}) == 3


def test_without_its_program_the_new_synthesizer_is_not_installed(new):
    _, catalogue = new("synthesizer")
    driver = catalogue.get("synthesizer", "acme-new")()
    assert driver.version() is None
    assert "acme-new" in driver.brings


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        *(
            (name, "can't name a plugin")
            for name in ("Acme", "acme_voice", "2acme", "acme-", "a--b", "acme/two", "", "ä")
        ),
        *((name, "at most 30") for name in ("a" * 31, "a-" * 20 + "a")),
        *((name, "exists already: choose another name") for name in ("numpy", "lambda", "json", "earwitness")),
    ],
)
def test_a_name_that_can_not_be_is_refused_in_one_sentence(name, fault, tmp_path):
    with pytest.raises(OptionError, match=fault):
        write_plugin(name, "system", tmp_path, load_catalogue())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "kind"), [("lfcc60", "frontend"), ("knn", "scorer"), ("piper", "system"), ("bed", "scorer")]
)
def test_a_name_that_is_offered_is_refused(name, kind, tmp_path):
    """The last is a pipeline's: that of the new scorer would clash."""
    with pytest.raises(PluginClashError, match=f"'{name}' already: choose another"):
        write_plugin(name, kind, tmp_path, load_catalogue())


def test_nothing_is_overwritten(call, tmp_path):
    new = ("plugins", "new", "acme-new", "--kind", "scorer", "--out", tmp_path / "made")
    assert "pip install -e" in call(*new).err
    before = {file: file.read_bytes() for file in tmp_path.rglob("*.*") if file.is_file()}
    again = call(*new)
    assert (again.code, again.err.count("\n")) == (2, 1)
    assert "exists already" in again.err
    assert {file: file.read_bytes() for file in tmp_path.rglob("*.*") if file.is_file()} == before
    (tmp_path / "file").touch()
    assert "choose another --out" in call(*new[:-1], tmp_path / "file").err


def test_a_new_plugin_installs_is_listed_and_passes_its_own_test(command, tmp_path):
    """By pip, offline, into an environment of its own that sees the engine as this one does."""
    pytest.importorskip("hatchling")
    command("plugins", "new", "acme-new", "--kind", "frontend", "--out", tmp_path)
    site_of = tmp_path / "environment"
    venv.create(site_of, symlinks=True)
    python = site_of / "bin" / "python"
    (site,) = site_of.glob("lib/python*/site-packages")
    engine = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (site / "engine.pth").write_text("".join(f"import site; site.addsitedir({path!r})\n" for path in sorted(engine)))
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--no-deps",
        "--no-index",
        "--no-build-isolation",
    ]
    subprocess.run([*pip, tmp_path / "acme-new"], check=True, capture_output=True)
    shutil.rmtree(tmp_path / "acme-new" / "acme_new")  # what is tested is what was installed
    listed = json.loads(command("plugins", "list", "--json", python=python).stdout)
    (acme,) = (plugin for plugin in listed if plugin["distribution"] == "acme-new")
    assert (acme["problem"], acme["version"]) == (None, "0.1.0")
    assert acme["offers"] == {"frontend": ["acme-new"], "pipeline": ["acme-new"]}
    done = subprocess.run(
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", tmp_path / "acme-new"],
        cwd=tmp_path / "acme-new",
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\d\d passed", done.stdout)
