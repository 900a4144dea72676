"""Mixtures a class and adapted mixtures against scikit-learn and formulas, and through training, models and answers."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file
from scipy.special import logsumexp
from scipy.stats import norm
from sklearn.mixture import GaussianMixture

from earwitness.audio import read_clip
from earwitness.contracts import AnchorEmbedder, Embedder, FittedEmbedder, LearnedEmbedder
from earwitness.engine import open_engine
from earwitness.errors import OptionError
from earwitness.loading import load_pipeline
from earwitness.manifest import read_manifest
from earwitness.mixture import Mixture, fit_mixture, mean_log_likelihoods, thinned
from earwitness.model import Model, space_digest, unit
from earwitness.pipeline import Pipeline
from earwitness.plugins import load_catalogue
from earwitness.windows import cut
from earwitness_embedders import Gmm, GmmUbm, Stats, Wccn, Xvector
from earwitness_frontends import Lfcc
from earwitness_registry import Registry

LABELS = np.repeat([0, 1, 2], 3)
SMALL = {"gmm": Gmm(components=4, steps=3), "gmm_ubm": GmmUbm(components=4, relevance=7.0, steps=3)}
RECIPE = """
name: small-NAME
window: 1.0
hop: 0.5
frontend: lfcc60
embedder: {NAME: {components: 4, steps: 3}}
scorer: {softmax: {logits: head}}
training: {versions: [[], [noise]]}
"""


def clips(seed=0, dims=3):
    """Nine clips of three classes, two windows each (B, frames, dims), which overlap."""
    rng = np.random.default_rng(seed)
    middles = rng.standard_normal((3, dims))[LABELS]
    return [(middle + rng.standard_normal((2, 30, dims))).astype(np.float32) for middle in middles]


def frames_of(label, seed=0):
    return np.concatenate([clip.reshape(-1, 3) for clip, own in zip(clips(seed), LABELS, strict=True) if own == label])


def sklearn_scores(state, frames):
    """Mean log-likelihood of frames (N, dims) under one mixture, by scikit-learn."""
    theirs = GaussianMixture(len(state["weights"]), covariance_type="diag")
    theirs.weights_ = state["weights"].astype(float) / state["weights"].sum(dtype=float)
    theirs.means_, theirs.covariances_ = state["means"].astype(float), state["variances"].astype(float)
    theirs.precisions_cholesky_ = 1 / np.sqrt(theirs.covariances_)
    return theirs.score(frames.astype(float))


def test_anchors_are_told_from_other_embedders():
    assert all(isinstance(part, AnchorEmbedder) for part in (Gmm(), GmmUbm()))
    assert not any(isinstance(part, Embedder | FittedEmbedder | LearnedEmbedder) for part in (Gmm(), GmmUbm()))
    assert not any(isinstance(part, AnchorEmbedder) for part in (Stats(), Wccn(), Xvector()))


def test_a_class_has_the_mixture_of_its_own_frames():
    state = SMALL["gmm"].fit_frames(clips(), LABELS)
    assert {name: (array.shape, array.dtype) for name, array in state.items()} == {
        "weights": ((3, 4), np.float32),
        "means": ((3, 4, 3), np.float32),
        "variances": ((3, 4, 3), np.float32),
    }
    for k in range(3):
        expected = fit_mixture(frames_of(k), 4, 3).state
        for name, array in state.items():
            np.testing.assert_allclose(array[k], expected[name], rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_figure_is_scikit_learn_s_likelihood_over_the_mean_of_classes(seed):
    state = SMALL["gmm"].fit_frames(clips(), LABELS)
    windows = clips(seed)[0]
    each = [{name: array[k] for name, array in state.items()} for k in range(3)]
    scores = np.array([[sklearn_scores(own, window) for own in each] for window in windows])
    found = SMALL["gmm"].embed(state, windows)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, scores - scores.mean(axis=1, keepdims=True), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.sum(axis=1), 0.0, atol=1e-5)


def test_the_decision_is_maximum_likelihood_and_right():
    state = SMALL["gmm"].fit_frames(clips(), LABELS)
    windows = np.concatenate(clips())
    each = [Mixture.of({name: array[k] for name, array in state.items()}) for k in range(3)]
    likelihoods = [[logsumexp(own.log_joint(w.astype(float)), axis=1).sum() for own in each] for w in windows]
    cosines = unit(SMALL["gmm"].embed(state, windows)) @ np.eye(3)
    np.testing.assert_array_equal(cosines.argmax(axis=1), np.argmax(likelihoods, axis=1))
    np.testing.assert_array_equal(cosines.argmax(axis=1), np.repeat(LABELS, 2))


def posteriors(world, frame):
    """Of one frame, by Bayes."""
    joint = world.weights * norm.pdf(frame, world.means, np.sqrt(world.variances)).prod(axis=1)
    return joint / joint.sum()


def test_means_are_adapted_by_the_formula():
    part = SMALL["gmm_ubm"]
    state = part.fit_frames(clips(), LABELS)
    world = fit_mixture(thinned(clips()), 4, 3)
    for name, array in world.state.items():
        np.testing.assert_allclose(state[name], array, rtol=1e-6, atol=1e-7)
    for k in range(3):
        frames = frames_of(k).astype(float)
        shares = np.array([posteriors(world, x) for x in frames])
        for c in range(4):
            n = shares[:, c].sum()
            mean, a = shares[:, c] @ frames / n, n / (n + 7.0)
            np.testing.assert_allclose(state["adapted"][k, c], a * mean + (1 - a) * world.means[c], rtol=1e-4)


def test_a_ratio_is_that_of_two_likelihoods():
    part = SMALL["gmm_ubm"]
    state, windows = part.fit_frames(clips(), LABELS), np.concatenate(clips(1))
    expected = [
        [sklearn_scores({**state, "means": own}, w) - sklearn_scores(state, w) for own in state["adapted"]]
        for w in windows
    ]
    np.testing.assert_allclose(part.embed(state, windows), expected, rtol=1e-4, atol=1e-5)


def test_a_class_like_all_others_is_no_likelier_than_the_model():
    same = clips()[:3]
    state = GmmUbm(components=1, steps=3).fit_frames(same * 2, np.repeat([0, 1], 3))
    np.testing.assert_allclose(state["adapted"], np.tile(state["means"], (2, 1, 1)), atol=1e-6)
    np.testing.assert_allclose(GmmUbm().embed(state, clips()[5]), 0.0, atol=1e-5)


@pytest.mark.parametrize("relevance", [0.0, -1.0])
def test_a_relevance_that_leaves_nothing_is_an_option_error(relevance):
    with pytest.raises(OptionError, match="above 0"):
        GmmUbm(relevance=relevance).fit_frames(clips(), LABELS)


@pytest.mark.parametrize("part", SMALL.values(), ids=SMALL)
def test_one_class_has_a_place_too(part):
    state = part.fit_frames(clips()[:3], LABELS[:3])
    vectors = unit(part.embed(state, np.concatenate(clips())))
    np.testing.assert_allclose(np.abs(vectors), 1.0)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(SMALL)), st.floats(-38, 38), st.booleans())
def test_whatever_comes_the_answer_is_finite(name, exponent, still):
    part, odd = SMALL[name], strange(exponent, still)
    learned_from_such = part.fit_frames([strange(min(exponent, 15.0), still)] * 9, LABELS)
    for state in (part.fit_frames(clips(), LABELS), learned_from_such):
        found = part.embed(state, np.concatenate([odd, clips()[0][:, :5]]))
        assert np.isfinite(found).all()
        np.testing.assert_allclose(np.linalg.norm(unit(found), axis=1), 1.0, rtol=1e-5)


def strange(exponent, still):
    """A window (1, 5, 3) about some power of ten, or all of it."""
    shape = np.zeros((1, 5, 3)) if still else np.random.default_rng(0).standard_normal((1, 5, 3))
    return np.clip((shape + 1) * 10.0**exponent, -3e38, 3e38).astype(np.float32)


def test_windows_are_scored_alike_however_frames_are_cut_up(monkeypatch):
    mixture, windows = fit_mixture(thinned(clips()), 4, 2), np.concatenate(clips(1))
    whole = mean_log_likelihoods([mixture], windows)
    monkeypatch.setattr("earwitness.mixture.BLOCK", 7)
    np.testing.assert_allclose(mean_log_likelihoods([mixture], windows), whole, rtol=1e-12)
    assert whole.shape == (18, 1)


@pytest.fixture(scope="module")
def trained(made, tmp_path_factory):
    """Folders of models, by embedder."""
    pytest.importorskip("torch", reason="training needs the extra train")
    from earwitness.training import train

    home = tmp_path_factory.mktemp("gmm")
    manifest = read_manifest(made.manifest)
    for name in SMALL:
        pipeline = Pipeline.from_yaml(RECIPE.replace("NAME", name), load_catalogue())
        train(pipeline, manifest, home / name, cache=home / "cache", quiet=True)
    return home


def windows_of(made, row):
    clip = read_clip(made.home / row["path"])
    return next(cut([clip.samples], clip.rate, 1.0, 0.5))


@pytest.mark.parametrize("name", SMALL)
def test_a_model_answers_by_its_weights_and_the_axes_of_its_classes(made, trained, name):
    folder = trained / name
    files = {"pipeline.yaml", "weights.safetensors", "head.safetensors", "card.md"}
    assert {file.name for file in folder.iterdir()} == files
    model = Model.load(folder, load_catalogue())
    assert model.space == space_digest(model.pipeline, folder / "weights.safetensors")
    sources = sorted({row["source"] for row in made.rows if row["split"] == "train"})
    assert list(model.heads) == sources
    np.testing.assert_array_equal(np.stack(list(model.heads.values())), np.eye(len(sources)))
    windows = windows_of(made, made.rows[0])
    expected = model.pipeline.embedder.embed(load_file(folder / "weights.safetensors"), Lfcc()(windows.samples, 16000))
    np.testing.assert_allclose(model.embed(model.features(windows)), unit(expected), rtol=1e-5)
    model.check(model.probe())
    assert "Macro-F1 on dev, by the class that fits best" in (folder / "card.md").read_text()


def test_each_clip_is_learned_in_one_of_its_versions(made, trained, tmp_path):
    from earwitness.training import train

    state = load_file(trained / "gmm" / "weights.safetensors")
    clean = Pipeline.from_yaml(RECIPE.replace("NAME", "gmm").replace(", [noise]", ""), load_catalogue())
    train(clean, read_manifest(made.manifest), tmp_path / "clean", cache=trained / "cache", quiet=True)
    own = load_file(tmp_path / "clean" / "weights.safetensors")
    assert state["means"].shape == own["means"].shape
    assert not np.allclose(state["means"], own["means"], rtol=0.1)


def test_clips_are_named_without_scikit_learn_or_torch(made, trained, command, tmp_path):
    registry = ("--registry", tmp_path / "registry")
    command("registry", "init", "--model", trained / "gmm", *registry)
    command("enroll", "--manifest", made.manifest, "--split", "train", *registry)
    code = (
        "import sys\nfrom earwitness.cli import main\ntry:\n    main()\nfinally:\n"
        "    print({'torch', 'sklearn', 'scipy'} & sys.modules.keys(), file=sys.stderr)"
    )
    asked = [row for row in made.rows if row["split"] == "test" and row["source"] in ("alpha", "beta", "gamma")]
    done = command("identify", *(made.home / row["path"] for row in asked), "--json", *registry, code=code)
    assert done.stderr.endswith("set()\n")
    assert [verdict["ranking"][0]["source"] for verdict in json.loads(done.stdout)] == [row["source"] for row in asked]


@pytest.fixture
def opened(trained, tmp_path):
    """Fill a registry by a model with sources' clips, and open it."""

    def fill(name, pairs):
        folder = trained / name
        with Registry.create(tmp_path / "registry", name) as registry:
            Model.load(folder, load_catalogue()).add_to(registry, folder)
        with open_engine(tmp_path / "registry") as engine:
            assert {outcome.outcome for outcome in engine.enroll_many(pairs)} == {"added"}
        return open_engine(tmp_path / "registry")

    return fill


@pytest.mark.parametrize("name", SMALL)
def test_trained_sources_are_ranked_by_likelihood_whatever_is_enrolled_of_them(made, trained, opened, name):
    model, file = Model.load(trained / name, load_catalogue()), made.home / made.rows[0]["path"]
    sources = list(model.heads)
    with opened(name, [(source, made.home / f"train-{source}-1.wav") for source in sources]) as engine:
        (verdict,) = engine.identify(file)
    figures = model.embed(model.features(windows_of(made, made.rows[0]))).mean(axis=0)
    assert [rank.source for rank in verdict.ranking] == [sources[k] for k in np.argsort(-figures)]


def test_a_source_enrolled_later_stands_beside_the_others(made, opened):
    rows = [row for row in made.rows if row["split"] == "test" and row["source"] != "test-two"]
    late = [row for row in rows if row["source"] == "test-one"][:2]
    pairs = [(row["source"], made.home / row["path"]) for row in made.rows if row["split"] == "train"] + [
        (row["source"], made.home / row["path"]) for row in late
    ]
    asked = [row for row in rows if row not in late]
    with opened("gmm", pairs) as engine:
        found = [engine.identify(made.home / row["path"])[0].ranking[0].source for row in asked]
    right = [answer == row["source"] for answer, row in zip(found, asked, strict=True)]
    assert all(ok for ok, row in zip(right, asked, strict=True) if row["source"] != "test-one")
    assert sum(right) > len(right) - 2  # three classes leave but an angle to tell it by


@pytest.mark.parametrize(
    ("name", "task", "part"),
    [
        ("lfcc-gmm", "system", Gmm()),
        ("lfcc-gmm-quick", "system", Gmm(components=64)),
        ("mfcc-gmm-ubm", "device", GmmUbm()),
    ],
)
def test_the_published_baselines_are_pipelines(name, task, part):
    pipeline = load_pipeline(name, load_catalogue())
    assert (pipeline.task, pipeline.embedder, pipeline.scorer.logits) == (task, part, "head")
