"""Recipes side by side: the figures of the single commands, every row on the page, and nothing done twice."""

import fcntl
import json
import re
import shlex
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from earwitness.bench import attempt, bench
from earwitness.bench.ground import asked, fitting, quickened, share_of
from earwitness.bench.kept import keep_features
from earwitness.bench.page import name_points, pareto
from earwitness.engine import open_engine
from earwitness.errors import OptionError
from earwitness.manifest import read_manifest
from earwitness.plotting import load_pyplot
from earwitness.plugins import load_catalogue
from earwitness_frontends import Lfcc

pytest.importorskip("matplotlib", reason="the page needs the extra report")
pytest.importorskip("torch", reason="fitting an embedder needs the extra train")

RECIPES = {
    "still": "{name: still, frontend: lfcc60, embedder: stats, scorer: mahalanobis, window: 1.0, hop: 0.5}",
    "moving": "{name: moving, frontend: lfcc60, embedder: wccn, scorer: cell_lda, window: 1.0, hop: 0.5}",
    "both": "{{name: both, experts: {{{0}/still.yaml: {{}}, {0}/moving.yaml: {{}}}}}}",
    "odd": "{name: odd, frontend: lfcc60, embedder: stats, scorer: nonesuch}",
}
"""Two recipes with one frontend, one of both as experts, and one that can't be read."""
GRID = ("clean", "noise10")


@pytest.fixture(scope="module")
def recipes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recipes")
    for name, text in RECIPES.items():
        (folder / f"{name}.yaml").write_text(text.format(folder) if name == "both" else text)
    return {name: str(folder / f"{name}.yaml") for name in RECIPES}


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    """A home of its own for features that training keeps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def compared(made, recipes, tmp_path_factory):
    """A comparison under two conditions, and its folder."""
    out = tmp_path_factory.mktemp("compared")
    asked = [recipes[name] for name in ("still", "both", "odd")]
    found = bench(asked, read_manifest(made.manifest), out, conditions=GRID, quiet=True)
    return SimpleNamespace(out=out, found=found, rows=found["rows"])


def measured(rows):
    """The figures of rows by recipe, seed and condition."""
    return {(r["recipe"], r["seed"], r["condition"]): r["figures"] for r in rows if "error" not in r}


def test_a_row_for_each_recipe_and_condition_and_one_that_says_why_there_is_none(compared):
    assert measured(compared.rows).keys() == {(name, 0, each) for name in ("still", "both") for each in GRID}
    (failed,) = (row for row in compared.rows if "error" in row)
    assert failed["recipe"] == "odd"
    assert failed["error"].startswith("no plugin offers the scorer 'nonesuch'")
    assert json.loads((compared.out / "bench.json").read_text()) == compared.found
    assert compared.found["machine"]["versions"].keys() >= {"earwitness", "python", "numpy", "onnxruntime"}


def test_figures_are_those_of_the_single_commands(compared, made, recipes, call, monkeypatch, tmp_path):
    monkeypatch.setattr("earwitness.evaluation.evaluate.write_report", lambda *_: None)
    model, registry = tmp_path / "model", ("--registry", tmp_path / "registry")
    for words in (
        ("train", recipes["both"], "--manifest", made.manifest, "--out", model),
        ("registry", "init", "--model", model, *registry),
        ("enroll", "--manifest", made.manifest, "--split", "train", *registry),
        ("calibrate", "--manifest", made.manifest, *registry),
        ("evaluate", "--manifest", made.manifest, "--conditions", "noise10", "--out", tmp_path / "out", *registry),
    ):
        assert call(*words).code == 0
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    clean, noisy = (measured(compared.rows)["both", 0, name] for name in GRID)
    assert clean["clips"] == {"known": 18, "unknown": 10}
    assert clean == {name: metrics[name] for name in clean.keys() - {"by"}} | {"by": {}}
    assert noisy == metrics["conditions"]["noise10"]
    assert noisy["auroc"] != clean["auroc"]


def test_every_row_stands_in_the_table_and_on_the_page(compared):
    page, text = (compared.out / "bench.html").read_text(), (compared.out / "bench.md").read_text()
    lines = [set(re.findall(r"<td[^>]*>(.*?)</td>", line)) for line in re.findall(r"<tr>(.*?)</tr>", page)]
    for row in compared.rows:
        cells = {row["recipe"], "0"}
        if "error" not in row:
            (low, high), value = row["figures"]["intervals"]["macro_f1_open"], row["figures"]["macro_f1_open"]
            cells |= {f"{value:.3f} [{low:.3f}, {high:.3f}]", f"{row['cost']['ms_per_clip']:.1f}"}
        assert any(cells <= line for line in lines)
        assert any(cells <= set(line.strip("| ").split(" | ")) for line in text.splitlines())
        assert row["command"] in page
        assert row["command"] in text
    assert page.count("<img") == len(GRID)
    assert 'src="http' not in page


def test_the_command_of_a_row_makes_it_again(compared, call, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    row = next(row for row in compared.rows if (row["recipe"], row.get("condition")) == ("still", "noise10"))
    program, *words = shlex.split(row["command"])
    assert program == "earwitness"
    assert call(*words).code == 0
    (again,) = json.loads((tmp_path / "again" / "bench.json").read_text())["rows"]
    assert again["figures"] == row["figures"]


def test_the_best_comes_first(compared):
    text = (compared.out / "bench.md").read_text()
    for condition in GRID:
        part = text.partition(f"## {condition}\n")[2].partition("\n## ")[0]
        order = [line.split()[1] for line in part.splitlines() if line.startswith(("| still", "| both"))]
        assert len(order) == 2
        figures = [measured(compared.rows)[name, 0, condition]["macro_f1_open"] for name in order]
        assert figures == sorted(figures, reverse=True)


def test_costs_are_those_of_the_models(compared):
    cost = {row["recipe"]: row["cost"] for row in compared.rows if "error" not in row}
    (weights,) = compared.out.glob("work/both-0-*/model/moving/weights.safetensors")
    header = int.from_bytes(weights.read_bytes()[:8], "little")
    assert cost["still"]["parameters"] == 0
    assert 4 * cost["both"]["parameters"] == len(weights.read_bytes()) - 8 - header  # float32 throughout
    assert cost["both"]["bytes"] > cost["still"]["bytes"] > 0
    assert all(each["ms_per_clip"] > 0 and each["training_seconds"] > 0 for each in cost.values())


def test_a_killed_run_goes_on_where_it_stood(compared, made, recipes, monkeypatch, tmp_path):
    """Killed between the cells of the first recipe; the second start trains and enrols nothing of it again."""

    def killed(*_):
        raise KeyboardInterrupt

    asked, clips = [recipes["still"]], read_manifest(made.manifest)
    with monkeypatch.context() as patch:
        patch.setattr(attempt.Trial, "after", killed)
        with pytest.raises(KeyboardInterrupt):
            bench(asked, clips, tmp_path, conditions=GRID, quiet=True)
    (first,) = (tmp_path / "cells").iterdir()
    before = first.stat().st_mtime_ns
    assert not (tmp_path / "bench.json").exists()
    for done in ("train", "calibrate_registry", "cost_of"):
        monkeypatch.setattr(attempt, done, None)
    rows = bench(asked, clips, tmp_path, conditions=GRID, quiet=True)["rows"]
    assert first.stat().st_mtime_ns == before
    whole = measured(compared.rows)
    assert measured(rows) == {key: whole[key] for key in whole if key[0] == "still"}
    monkeypatch.setattr(attempt, "open_engine", None)
    assert bench(asked, clips, tmp_path, conditions=GRID, quiet=True)["rows"] == rows


def test_a_kill_while_enrolling_leaves_no_half_a_registry(made, recipes, monkeypatch, tmp_path):
    def killed(*_):
        raise KeyboardInterrupt

    asked, clips = [recipes["still"]], read_manifest(made.manifest)
    with monkeypatch.context() as patch:
        patch.setattr(attempt, "calibrate_registry", killed)
        with pytest.raises(KeyboardInterrupt):
            bench(asked, clips, tmp_path, quiet=True)
    first, second = bench(asked, clips, tmp_path, seeds=2, quiet=True)["rows"]
    assert first["figures"]["clips"] == {"known": 18, "unknown": 10}
    assert (first["seed"], second["seed"]) == (0, 1)
    assert first["figures"] == second["figures"]  # nothing in it is learned


def test_two_runs_never_write_into_one_folder(made, recipes, tmp_path):
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(OptionError, match=r"another bench is writing into .*: wait for it"):
            bench([recipes["still"]], read_manifest(made.manifest), tmp_path, quiet=True)
    assert {path.name for path in tmp_path.iterdir()} == {"lock"}


def test_a_recipe_that_breaks_at_work_leaves_the_others_alone(made, recipes, call, monkeypatch, tmp_path):
    def careless(pipeline, *_, **__):
        raise ZeroDivisionError(f"{pipeline.name} divides")

    asked = ("bench", recipes["still"], "--manifest", made.manifest, "--out", tmp_path / "out", "--limit", 0.9)
    with monkeypatch.context() as patch:
        patch.setattr(attempt, "train", careless)
        done = call(*asked)
    assert done.code == 2
    assert "1 of 1 failed; first: " in done.err
    assert "ZeroDivisionError: still divides" in done.err
    done = call(*asked, "--json")  # what failed is tried again
    (row,) = json.loads(done.out)["rows"]
    assert (done.code, row["condition"]) == (0, "clean")
    assert row["command"].split()[:3] == ["earwitness", "bench", recipes["still"]]
    assert "--seeds 1 --limit 0.9" in row["command"]
    table = call(*asked).out.splitlines()
    assert table[1].split()[:4] == ["clean", "still", "0", f"{row['figures']['accuracy']:.3f}"]


def test_features_are_computed_once_and_are_the_same(made, monkeypatch, tmp_path):
    def heard():
        with open_engine(made.registry) as engine:
            if kept:
                keep_features(engine, tmp_path)
            (found,) = engine.listen([made.home / "test-alpha-0.wav"], "system")
            return next(iter(found.tracks.values())).embeddings

    kept = False
    plain = heard()
    kept = True
    first = heard()
    monkeypatch.setattr(Lfcc, "__call__", lambda *_: pytest.fail("computed again"))
    monkeypatch.setattr("earwitness.model.Model.check", lambda *_: None)
    np.testing.assert_array_equal(first, plain)
    np.testing.assert_array_equal(heard(), plain)


def test_a_share_keeps_some_of_each_source_in_each_split(made):
    manifest = read_manifest(made.manifest)
    half, least = share_of(manifest, 0.5), share_of(manifest, 0.0)
    counts = {key: sum((r.split, r.source) == key for r in manifest.rows) for key in keys(manifest)}
    assert {key: sum((r.split, r.source) == key for r in half.rows) for key in counts} == {
        key: max(1, round(count / 2)) for key, count in counts.items()
    }
    assert len(least.rows) == len(counts)
    assert share_of(manifest, 1.0) == manifest


def keys(manifest):
    return {(row.split, row.source) for row in manifest.rows}


def test_without_recipes_all_of_the_tasks_take_part(made, phone_registry):
    catalogue = load_catalogue()
    assert fitting(catalogue, read_manifest(made.manifest)) == catalogue.names("pipeline")
    devices = fitting(catalogue, phone_registry.manifest)
    assert {"microphone", "bed"} <= set(devices)
    assert "lfcc-stats" not in devices


def test_quick_takes_the_variants_for_two_cores_each_once():
    catalogue = load_catalogue()
    assert quickened(("pstnn", "dynamics", "pstnn-quick", "my.yaml"), catalogue) == (
        "pstnn-quick",
        "dynamics",
        "my.yaml",
    )
    every = quickened(catalogue.names("pipeline"), catalogue)
    assert not {f"{name}-quick" for name in every} & set(catalogue.names("pipeline"))


def test_a_recipe_is_put_to_the_question_of_the_manifest(made, phone_registry):
    catalogue = load_catalogue()
    (of_systems,) = asked("lfcc-stats", phone_registry.manifest, catalogue)
    assert of_systems.task == "device"
    both = replace(
        made_manifest := read_manifest(made.manifest), rows=made_manifest.rows + phone_registry.manifest.rows
    )
    (unasked,) = asked("bed", both, catalogue)
    assert unasked.task == "device"


def test_a_model_that_is_trained_is_asked_as_it_is_with_one_seed(compared, made, tmp_path):
    (models,) = compared.out.glob("work/both-0-*/model")
    folder, out = shutil.copytree(models, tmp_path / "mine"), tmp_path / "out"
    (row,) = bench([str(folder)], read_manifest(made.manifest), out, seeds=2, quiet=True)["rows"]
    assert (row["recipe"], row["cost"]["training_seconds"]) == ("mine-trained", 0.0)
    assert row["figures"] == measured(compared.rows)["both", 0, "clean"]
    state = load_file(folder / "moving" / "weights.safetensors")
    save_file({name: -values for name, values in state.items()}, folder / "moving" / "weights.safetensors")
    bench([str(folder)], read_manifest(made.manifest), out, quiet=True)
    assert len([*out.glob("cells/mine-trained-0-*.json")]) == 2


def test_a_folder_that_cannot_answer_is_a_row_that_says_why(made, phone_registry, tmp_path):
    found = bench([str(made.model), str(tmp_path)], phone_registry.manifest, tmp_path / "out", quiet=True)
    assert [row["error"] for row in found["rows"]] == [
        f"{made.model} learned the task system: name a model of one task, which the clips are of",
        f"{tmp_path} is not a model: it has no pipeline.yaml; make one with 'earwitness train'",
    ]


@pytest.mark.parametrize(("best", "named"), [(["low"], {"low", "far"}), (["high", "far"], {"high", "far"})])
def test_names_in_the_picture_never_cover_one_another(best, named):
    axes = load_pyplot().figure().add_subplot()
    points = {"low": (1.0, 1.0), "high": (1.0, 1.1), "far": (10.0, 50.0)}
    axes.plot(*zip(*points.values(), strict=True), "o")
    name_points(axes, points, best)
    assert {text.get_text() for text in axes.texts} == named
    load_pyplot().close(axes.figure)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), unique=True, min_size=1))
def test_the_front_holds_what_nothing_beats(pairs):
    points = {str(number): pair for number, pair in enumerate(pairs)}
    unbeaten = {
        name
        for name, (cost, error) in points.items()
        if not any(c <= cost and e <= error for other, (c, e) in points.items() if other != name)
    }
    front = pareto(points)
    assert set(front) == unbeaten
    assert [points[name][0] for name in front] == sorted(points[name][0] for name in front)
