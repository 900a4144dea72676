"""Fine-tuning: parts that don't learn stay as they are to the bit, and a trained model is begun with or refused."""

import shutil
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("sklearn")

import torch
from safetensors.numpy import load_file, save_file

from earwitness.errors import PipelineError, TrainingError
from earwitness.loading import load_pipeline
from earwitness.model import Model
from earwitness.pipeline import Pipeline, Recipe
from earwitness.plugins import load_catalogue
from earwitness.training import loop, train
from earwitness.training.learner import Learner
from earwitness.training.start import Start
from earwitness_embedders import CrossScale, NoiseMlp, Pstnn, Stats
from earwitness_frontends import GsvMfcc, Lfcc
from earwitness_scorers import Softmax

SMALL = CrossScale(kernels=(4, 3), units=5, heads=2, head_dim=3, hidden=6, dim=7)
SHAPE = (6, 20)
SOURCES = ("one", "two")


def learned(trained, embedder=SMALL, shape=SHAPE):
    """The learner's weights before and after three steps."""
    learner = Learner(embedder, Recipe(learning_rate=0.1, trained=trained), shape, 3, seed=0)
    before, rng = learner.weights(), np.random.default_rng(0)
    for _ in range(3):
        learner.step(1 + rng.standard_normal((6, *shape)).astype(np.float32), np.arange(6) % 3)
    return learner, before, learner.weights()


@pytest.mark.parametrize(
    ("trained", "parts"),
    [
        (("head",), ()),
        (("project", "head"), ("network.project.",)),
        (("project",), ("network.project.",)),
        (("norms.1", "encoders.0.mlp"), ("network.norms.1.", "network.encoders.0.mlp.")),
    ],
)
def test_all_but_the_trained_parts_stay_as_they_are_to_the_bit(trained, parts):
    """Weights, in spite of their decay, and the norms' statistics."""
    _, before, after = learned(trained)
    changed = {key for key in before if not torch.equal(before[key], after[key])}
    assert changed == {key for key in before if key.startswith((*parts, "head."))}


def test_without_names_everything_learns():
    _, before, after = learned(())
    assert not [key for key in before if torch.equal(before[key], after[key])]


def test_what_does_not_learn_drops_nothing_out():
    """A frozen network embeds in training as it answers."""
    learner, _, _ = learned(("head",), Pstnn(components=8, frames=4, hidden=(6,), dropout=0.5, dim=5), (12, 9))
    features = torch.from_numpy(np.random.default_rng(1).standard_normal((5, 12, 9)).astype(np.float32))
    answering = deepcopy(learner.model).eval()
    assert torch.equal(learner.model.embed(features), answering.embed(features))


@pytest.mark.parametrize("name", ["projct", "encoders.2", "proj", ""])
def test_a_part_that_the_network_has_not_is_named(name):
    with pytest.raises(PipelineError, match=rf"'{name}'.*choose from normalise, .*project, head"):
        learned((name,))


@pytest.mark.parametrize("name", ["crossscale", "crossscale-quick"])
def test_the_published_fine_tuning_fits_the_published_network(name):
    """All blocks frozen, MLP and softmax retrained, answered by that softmax; nothing else of the network differs."""
    catalogue = load_catalogue()
    first = load_pipeline(name, catalogue)
    tuned = load_pipeline(name.replace("crossscale", "crossscale-finetune"), catalogue)
    unlike = {"name": tuned.name, "scorer": Softmax(logits="head"), "training": tuned.training}
    assert tuned == replace(first, **unlike)
    with torch.device("meta"):
        parts = dict(first.embedder.network(73).named_children())
    assert tuned.training.trained == ("project", "head")
    assert (parts["project"].out_features, [*parts][-1]) == (first.embedder.dim, "project")


RECIPE = Recipe(epochs=2, steps=3, batch=8, crop=0.4)
FIRST = Pipeline("first", Lfcc(), NoiseMlp(layers=1, width=6), Softmax(), window=0.4, hop=0.4, training=RECIPE)
TUNED = replace(FIRST, scorer=Softmax(logits="head"), training=replace(RECIPE, trained=("head",)))


@pytest.fixture(scope="module")
def others(watched):
    """The same clips, of sources that the first model never met."""
    new = dict(zip(sorted({row.source for row in watched.rows}), SOURCES, strict=True))
    return replace(watched, rows=tuple(replace(row, source=new[row.source]) for row in watched.rows))


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def first(watched, cache, tmp_path_factory):
    return train(FIRST, watched, tmp_path_factory.mktemp("model") / "first", cache=cache, quiet=True)


def weights(folder):
    return load_file(folder / "weights.safetensors")


def test_softmax_alone_learns_new_sources_and_leaves_the_embedding(first, others, cache, tmp_path):
    made = train(TUNED, others, tmp_path / "made", cache=cache, quiet=True, start=first)
    before, after = weights(first), weights(made)
    assert [key for key in before if not np.array_equal(before[key], after[key])] == ["head.weight"]
    was, now = (Model.load(folder, load_catalogue()) for folder in (first, made))
    features = np.random.default_rng(0).standard_normal((3, 38, 60)).astype(np.float32)
    np.testing.assert_array_equal(now.embedder(features), was.embedder(features))
    assert tuple(now.heads) == SOURCES
    rows = after["head.weight"] / np.linalg.norm(after["head.weight"], axis=1, keepdims=True)
    np.testing.assert_allclose(np.stack([*now.heads.values()]), rows, atol=1e-6)
    assert f"Begun with the weights of first, space {was.space}." in (made / "card.md").read_text()


@pytest.mark.parametrize("same", [True, False])
def test_a_head_is_begun_with_where_its_sources_are_the_same(first, watched, same):
    sources = tuple(sorted({row.source for row in watched.rows})) if same else SOURCES
    learner = Learner(FIRST.embedder, RECIPE, (38, 60), 2, seed=9)
    fresh = learner.weights()
    Start.read(first, FIRST).give(learner.model, sources)
    given, stored = learner.weights(), weights(first)
    assert all(np.array_equal(given[key], stored[key]) for key in stored if key.startswith("network."))
    np.testing.assert_array_equal(given["head.weight"], (stored if same else fresh)["head.weight"])


class StoppedError(Exception):
    pass


def test_stopped_it_goes_on_from_the_same_start_and_no_other(first, others, cache, tmp_path, monkeypatch):
    def stopping(*arguments, save=loop.checkpoint.save):
        save(*arguments)
        raise StoppedError

    def tune(out, start):
        return train(FIRST, others, tmp_path / out, cache=cache, quiet=True, start=start)

    monkeypatch.setattr("earwitness.training.export.export_network", lambda *_: None)
    with monkeypatch.context() as patch:
        patch.setattr(loop.checkpoint, "save", stopping)
        with pytest.raises(StoppedError):
            tune("stopped", first)
    with pytest.raises(TrainingError, match="another recipe, manifest, seed or start"):
        tune("stopped", None)
    expected, found = weights(tune("whole", first)), weights(tune("stopped", first))
    assert all(np.array_equal(expected[key], found[key]) for key in expected)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"rate": 8000}, "another rate, 16000,.*or set rate to it"),
        ({"frontend": Lfcc(hop_ms=20.0)}, "another frontend, {'lfcc60'"),
        ({"embedder": NoiseMlp(layers=2, width=6)}, "another embedder, {'noise_mlp': {'layers': 1"),
        ({"embedder": Stats()}, "no network.*drop --start"),
    ],
)
def test_a_model_of_another_kind_is_refused_before_anything_is_made(first, others, tmp_path, changes, told):
    with pytest.raises(TrainingError, match=told):
        train(replace(FIRST, **changes), others, tmp_path / "made", quiet=True, start=first)
    assert not (tmp_path / "made").exists()


def test_a_folder_that_is_no_model_or_does_not_fit_is_refused(first, others, cache, tmp_path):
    with pytest.raises(PipelineError, match="is not a model"):
        train(FIRST, others, tmp_path / "made", quiet=True, start=tmp_path)
    copy = shutil.copytree(first, tmp_path / "copy")
    widest = max(weights(first).items(), key=lambda item: item[1].size)[0]
    save_file({**weights(first), widest: np.zeros((3, 3), np.float32)}, copy / "weights.safetensors")
    with pytest.raises(TrainingError, match="other shapes"):
        train(FIRST, others, tmp_path / "made", cache=cache, quiet=True, start=copy)


def test_what_a_frontend_learned_is_kept_with_the_weights_that_read_it(watched, cache, tmp_path, monkeypatch):
    fitted = replace(FIRST, frontend=GsvMfcc(components=2, frames=8), name="fitted")
    start = train(fitted, watched, tmp_path / "start", cache=cache, quiet=True)
    monkeypatch.setattr("earwitness.training.export.export_network", lambda *_: None)
    fewer = replace(watched, rows=watched.rows[1:])
    anew, kept = (
        train(fitted, fewer, tmp_path / name, cache=cache, quiet=True, start=begun)
        for name, begun in (("anew", None), ("kept", start))
    )
    of_start, of_anew, of_kept = ((folder / "frontend.safetensors").read_bytes() for folder in (start, anew, kept))
    assert of_kept == of_start != of_anew


def test_the_command_begins_with_a_model_and_takes_one_network(first, watched, call, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    recipe, experts = tmp_path / "tuned.yaml", tmp_path / "experts.yaml"
    recipe.write_text(TUNED.to_yaml())
    experts.write_text(f"{{name: both, experts: {{lfcc-stats: {{}}, {recipe}: {{}}}}}}")
    manifest, start = ("--manifest", watched.path), ("--start", first)
    told = call("train", experts, *manifest, "--out", tmp_path / "both", *start)
    assert told.code == 2
    assert "one network" in told.err
    rows = watched.path.read_text().replace(",test", ",dev")
    (watched.path.parent / "watched.csv").write_text(rows)
    split = ("--manifest", watched.path.parent / "watched.csv")
    assert call("train", recipe, *split, "--out", tmp_path / "made", *start).code == 0
    before, after = weights(first), weights(tmp_path / "made")
    assert all(np.array_equal(before[key], after[key]) for key in before if key.startswith("network."))
