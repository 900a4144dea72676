"""The house stands: imports point one way, the wheel holds all, answering needs no torch, drawings are true."""

import ast
import json
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from earwitness import errors
from earwitness.places import starter_folder

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
HOUSES = {
    house: sorted(file.parent for file in (ROOT / house).glob("*/__init__.py"))
    for house in ("registry", "core", "plugins")
}
OURS = {package.name for packages in HOUSES.values() for package in packages}
PLUGINS = {package.name for package in HOUSES["plugins"]}

STOREYS = (
    ("errors", "installed", "places"),
    ("types",),
    (
        "cards",
        "contracts",
        "windows",
        "manifest",
        "network",
        "audio",
        "scatter",
        "mixture",
        "quality",
        "fusion",
        "suspicion",
        "siblings",
        "mixing",
    ),
    ("hookspecs", "subset", "corpora", "speaking"),
    ("plugins",),
    ("parts",),
    ("pipeline",),
    ("loading", "model", "stretches"),
    ("calibration", "listening"),
    ("experts", "references", "tracing", "change_point"),
    ("timeline", "second_look"),
    ("council",),
    ("deciding",),
    ("engine", "plotting"),
    ("reporting",),
    ("doctor", "training", "evaluation", "screening", "service", "scaffold"),
    ("bench", "testing"),
    ("cli",),
)
"""The modules of core from the ground up; each imports only from storeys below its own."""
STOREY = {module: height for height, modules in enumerate(STOREYS) for module in modules}

HEAVY = {"torch", "torchaudio", "sklearn", "speechbrain", "scipy", "librosa", "matplotlib", "pandas"}

SPY = f"""
import sys
from earwitness.cli import main
try:
    main()
finally:
    print("HEAVY", sorted({HEAVY!r} & sys.modules.keys()), file=sys.stderr)
"""


def sources(house):
    return [file for package in HOUSES[house] for file in sorted(package.rglob("*.py"))]


def imported(file):
    """What a file imports anywhere but under TYPE_CHECKING, as dotted names; `from a import b` gives a.b."""
    tree = ast.parse(file.read_text("utf-8"))
    typing_only = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for statement in node.body
        for inner in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if node in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: a relative import hides where it points"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def our_packages(file):
    return {name.partition(".")[0] for name in imported(file)} & OURS


@pytest.mark.parametrize("file", sources("registry"), ids=lambda f: f.name)
def test_the_registry_imports_nothing_of_core_or_plugins(file):
    assert our_packages(file) <= {"earwitness_registry"}


@pytest.mark.parametrize("file", sources("plugins"), ids=lambda f: f"{f.parent.name}/{f.name}")
def test_a_plugin_imports_only_earwitness_and_itself(file):
    (own,) = {package.name for package in HOUSES["plugins"] if package in file.parents}
    assert our_packages(file) <= {"earwitness", own}


@pytest.mark.parametrize("file", sources("core"), ids=lambda f: str(f.relative_to(ROOT / "core" / "earwitness")))
def test_core_names_no_plugin_and_imports_downwards(file):
    assert not our_packages(file) & PLUGINS
    assert not PLUGINS & set(re.findall(r"\w+", file.read_text("utf-8")))
    own = file.relative_to(ROOT / "core" / "earwitness").with_suffix("").parts[0]
    if own == "__init__":  # the front door: it shows the engine, when asked
        return
    targets = {name.split(".")[1] for name in imported(file) if name.startswith("earwitness.")}
    above = {module for module in targets & STOREY.keys() - {own} if STOREY[module] >= STOREY[own]}
    assert not above, f"{own} stands below or beside {above}"


def test_every_module_of_core_has_its_storey():
    modules = {path.stem for path in (ROOT / "core" / "earwitness").iterdir() if path.suffix == ".py" or path.is_dir()}
    assert modules - {"__init__", "__pycache__", "py"} <= STOREY.keys()


def test_disk_and_package_list_agree():
    listed = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert sorted(listed) == sorted(str(package.relative_to(ROOT)) for p in HOUSES.values() for package in p)
    assert sorted(PYPROJECT["tool"]["mypy"]["packages"]) == sorted(OURS)
    assert set(PYPROJECT["project"]["entry-points"]["earwitness"].values()) == PLUGINS


def test_the_wheel_holds_every_file_of_the_packages(tmp_path):
    pytest.importorskip("hatchling")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    on_disk = {
        file.relative_to(package.parent).as_posix()
        for packages in HOUSES.values()
        for package in packages
        for file in package.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert held == on_disk
    assert {f"{package}/py.typed" for package in OURS} <= held


def heavy(done):
    """The heavy modules that a spied-on run had imported."""
    return done.stderr.rpartition("HEAVY ")[2].strip()


@pytest.mark.parametrize("arguments", [("--help",), ("plugins", "list"), ("registry", "--help"), ("screen", "--help")])
def test_looking_around_imports_nothing_heavy(command, arguments):
    assert heavy(command(*arguments, code=SPY)) == "[]"


def test_enrolling_and_identifying_import_nothing_heavy(command, voices, tmp_path):
    registry = ("--registry", tmp_path / "registry")
    command("train", "lfcc-stats", "--manifest", voices, "--out", tmp_path / "model")
    command("registry", "init", "--model", tmp_path / "model", *registry, code=SPY)
    enrolled = command("enroll", "--manifest", voices, "--split", "train", *registry, code=SPY)
    done = command("identify", voices.parent / "zeta-5.wav", "--json", *registry, code=SPY)
    assert json.loads(done.stdout)[0]["ranking"][0]["source"] == "zeta"
    traced = command("trace", voices.parent / "zeta-5.wav", "--json", code=SPY)
    assert (heavy(enrolled), heavy(done), heavy(traced)) == ("[]", "[]", "[]")


@pytest.mark.skipif(not starter_folder().exists(), reason="the starter registry has not been built")
def test_the_starter_registry_answers_at_once_with_nothing_heavy(command, voices):
    done = command("identify", voices.parent / "zeta-5.wav", "--json", code=SPY)
    assert json.loads(done.stdout)[0]["verdict"] in ("known", "unknown")
    assert heavy(done) == "[]"


def descendants(error):
    return {(child, error) for child in error.__subclasses__()}.union(*map(descendants, error.__subclasses__()))


def test_the_drawing_of_the_errors_is_true():
    drawn, path = set(), []
    for line in errors.__doc__.splitlines():
        if found := re.match(r"([│ ]*(?:[├└]── )?)([A-Z]\w+Error)\b", line):
            path[len(found[1]) // 4 :] = [found[2]]
            drawn |= {(path[-1], above) for above in path[-2:-1]}
    real = {
        (child.__name__, parent.__name__)
        for child, parent in descendants(errors.EarwitnessError)
        if child.__module__.startswith("earwitness")
    }
    assert drawn == real
    assert {name for pair in real for name in pair} == set(errors.__all__)
