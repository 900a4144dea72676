"""`lda` against scikit-learn and its own definition; and the way from clips to a model that answers by it."""

import csv

import numpy as np
import pytest
import soundfile
from safetensors.numpy import load_file
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from earwitness.contracts import Embedder, FittedEmbedder, LearnedEmbedder, Scorer
from earwitness.errors import PipelineError
from earwitness.manifest import read_manifest
from earwitness.model import Model
from earwitness.pipeline import Pipeline, Recipe
from earwitness.plugins import load_catalogue
from earwitness.training import train
from earwitness.training.closed_form import voices
from earwitness_degradations import Noise
from earwitness_embedders import Lda, ResNet18, Stats
from earwitness_frontends import Dynamics
from earwitness_scorers import Softmax

RATE = 16000
PIPELINE = Pipeline(
    "tiny",
    Dynamics(),
    Lda(components=20),
    Softmax(),
    rate=RATE,
    window=0.8,
    hop=0.4,
    training=Recipe(versions=((), (Noise(),))),
)


def clouds(classes=4, per_class=60, dims=7, seed=0):
    """Classes of correlated rows (N, 1, dims), of unit deviation over all, with their labels."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(classes), per_class)
    rows = rng.standard_normal((len(labels), dims)) @ rng.standard_normal((dims, dims))
    rows += 2 * rng.standard_normal((classes, dims))[labels]
    return ((rows - rows.mean(0)) / rows.std(0))[:, None].astype(np.float32), labels


def embedded(lda, features, labels, cells):
    return lda.embed(lda.fit(features, labels, cells), features).astype(np.float64)


def test_it_is_a_fitted_embedder_and_no_other():
    assert isinstance(Lda(), FittedEmbedder)
    assert not isinstance(Lda(), Embedder | LearnedEmbedder | Scorer)
    assert not any(isinstance(other, FittedEmbedder) for other in (Stats(), ResNet18(), Softmax()))


def test_without_shrinkage_its_axes_are_scikit_learns():
    features, labels = clouds()
    ours = embedded(Lda(shrinkage=0.0), features, labels, labels)
    reference = LinearDiscriminantAnalysis(solver="eigen").fit(features[:, 0], labels).transform(features[:, 0])
    signs = np.sign((ours * reference).sum(axis=0))
    np.testing.assert_allclose(ours, signs * reference, atol=1e-3)


@pytest.mark.parametrize("shrinkage", [0.05, 0.5, 1.0])
def test_with_shrinkage_distances_decide_as_scikit_learn_does(shrinkage):
    """Half the squared distances to the means are, up to a row's constant, the scores of solver 'lsqr'."""
    features, labels = clouds()
    ours = embedded(Lda(shrinkage=shrinkage), features, labels, labels)
    means = np.array([ours[labels == k].mean(axis=0) for k in range(4)])
    scores = -0.5 * np.square(ours[:, None] - means).sum(axis=2)
    reference = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage).fit(features[:, 0], labels)
    expected = reference.decision_function(features[:, 0])
    np.testing.assert_allclose(scores - scores[:, :1], expected - expected[:, :1], rtol=1e-3, atol=2e-3)


def unequal(seed=1):
    """Three classes of 2, 3 and 4 voices of unequal numbers of windows, (N, 2, dims), frames apart."""
    rng = np.random.default_rng(seed)
    owner = np.repeat([0, 1, 2], [2, 3, 4])
    cells = np.repeat(np.arange(9), rng.integers(10, 40, 9))
    places = 3 * rng.standard_normal((3, 6))[owner] + rng.standard_normal((9, 6))
    rows = places[cells][:, None] + rng.standard_normal((len(cells), 2, 6)) * [1, 2, 1, 0.5, 1, 3] + 5
    return rows.astype(np.float32), owner[cells], cells


def test_within_scatter_is_the_identity_and_the_origin_is_the_middle():
    features, labels, cells = unequal()
    e = embedded(Lda(shrinkage=0.0), features, labels, cells)
    within, middles = [], []
    for label in range(3):
        own = [e[cells == cell] for cell in np.unique(cells[labels == label])]
        voices_of = np.array([rows.mean(axis=0) for rows in own])
        middles.append(voices_of.mean(axis=0))
        scatter = np.mean([np.cov(rows.T, bias=True) for rows in own], axis=0)
        within.append(scatter + np.cov(voices_of.T, bias=True))
    np.testing.assert_allclose(np.mean(within, axis=0), np.eye(2), atol=1e-3)
    np.testing.assert_allclose(np.mean(middles, axis=0), 0, atol=1e-4)
    between = np.cov(np.array(middles).T, bias=True)
    assert abs(between[0, 1]) < 1e-3 < between[1, 1] < between[0, 0]


def test_voices_count_alike_however_much_they_speak_and_are_numbered():
    features, labels, cells = unequal()
    lda, more = Lda(shrinkage=0.0), np.flatnonzero(cells == 3)
    often = np.r_[np.arange(len(cells)), more, more, more]
    state = lda.fit(features, labels, cells)
    for other in (lda.fit(features[often], labels[often], cells[often]), lda.fit(features, labels, 50 - cells)):
        same = np.abs(lda.embed(state, features)), np.abs(lda.embed(other, features))
        np.testing.assert_allclose(*same, atol=1e-3)


def test_it_finds_the_direction_that_no_voice_moves():
    """Classes differ by 1 along one axis, voices by 20 along another, where the eye would look."""
    rng = np.random.default_rng(0)
    labels, cells = np.repeat([0, 1], 200), np.repeat(np.arange(20), 20)  # ten voices, the same in both
    rows = rng.standard_normal((400, 1, 5)) * 0.3
    rows[:, 0, 2] += labels
    rows[:, 0, 4] += 20 * rng.standard_normal(10)[cells % 10]
    projection = Lda().fit(rows.astype(np.float32), labels, cells)["projection"][:, 0]
    assert np.abs(projection[2] * rows[:, 0, 2].std()) > 20 * np.abs(projection[4] * rows[:, 0, 4].std())


@pytest.mark.parametrize(("dim", "length"), [(None, 3), (2, 2), (99, 3)])
def test_the_embedding_is_as_long_as_asked_and_the_classes_allow(dim, length):
    features, labels = clouds()
    assert embedded(Lda(dim=dim), features, labels, labels).shape == (240, length)


def test_the_first_axes_are_kept():
    features, labels = clouds()
    short, whole = (embedded(Lda(dim=dim), features, labels, labels) for dim in (2, None))
    np.testing.assert_allclose(short, whole[:, :2], atol=1e-5)


def test_answers_come_one_by_one():
    features, labels, cells = unequal()
    state = Lda().fit(features, labels, cells)
    assert {key: (value.dtype, value.shape) for key, value in state.items()} == {
        "mean": (np.float32, (6,)),
        "projection": (np.float32, (6, 2)),
    }
    alone = np.concatenate([Lda().embed(state, window[None]) for window in features[:9]])
    np.testing.assert_allclose(Lda().embed(state, features[:9]), alone, atol=1e-6)


@pytest.mark.parametrize(
    "features",
    [np.zeros((4, 1, 3)), np.ones((4, 1, 3)) * [1, 2, 3], np.arange(12.0).reshape(4, 1, 3), np.eye(4, 300)[:, None]],
    ids=["nothing", "still", "a line", "more values than windows"],
)
@pytest.mark.parametrize("cells", [[0, 0, 1, 1], [0, 1, 2, 3]])
def test_poor_data_gives_finite_answers(features, cells):
    labels = np.array([0, 0, 1, 1])
    assert np.isfinite(embedded(Lda(), features.astype(np.float32), labels, np.array(cells))).all()


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Three systems, noise that swells at their own pace, in two voices; 4 clips to learn from, 2 to watch."""
    folder, rows = tmp_path_factory.mktemp("corpus"), []
    time = np.arange(RATE) / RATE
    for kind, (source, pace) in enumerate({"slow": 3, "quick": 11, "hasty": 25}.items()):
        for number in range(6):
            noise = np.random.default_rng(10 * kind + number).standard_normal(RATE)
            voiced = np.convolve(noise, [1, (-0.5, 0.5)[number % 2]], "same")
            name = f"{source}{number}.wav"
            soundfile.write(folder / name, 0.05 * voiced * np.exp(np.sin(2 * np.pi * pace * time)), RATE)
            rows.append((name, source, "train" if number < 4 else "dev", f"voice{number % 2}"))
    with (folder / "manifest.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("path", "source", "split", "speaker"), *rows])
    return read_manifest(folder / "manifest.csv")


@pytest.fixture(scope="module")
def model(corpus, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    return train(PIPELINE, corpus, folder / "made", cache=folder / "cache", quiet=True)


def test_a_trained_folder_answers_by_its_weights_alone(model):
    assert {path.name for path in model.iterdir()} == {"pipeline.yaml", "weights.safetensors", "card.md"}
    loaded = Model.load(model, load_catalogue())
    assert loaded.pipeline == PIPELINE
    windows = np.random.default_rng(0).standard_normal((3, PIPELINE.length)).astype(np.float32)
    vectors = Dynamics()(windows, RATE)[:, 0].astype(np.float64)
    state = load_file(model / "weights.safetensors")
    expected = (vectors - state["mean"]) @ state["projection"]
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(loaded.embed(Dynamics()(windows, RATE)), expected, atol=1e-4)
    loaded.check(loaded.probe())


def test_it_learned_what_tells_the_systems_apart(model):
    card = (model / "card.md").read_text()
    assert "Macro-F1 on dev, by the nearest mean embedding, over clean and degraded clips: **1.000**" in card
    assert "| quick | 4 | 2 |" in card
    assert "Seed 0, on cpu" in card


def test_the_same_seed_gives_the_same_bytes_and_another_another(model, corpus, tmp_path):
    again = train(PIPELINE, corpus, tmp_path / "again", cache=tmp_path / "cache", quiet=True)
    other = train(PIPELINE, corpus, tmp_path / "other", seed=1, cache=tmp_path / "cache", quiet=True)
    first, same, changed = ((folder / "weights.safetensors").read_bytes() for folder in (model, again, other))
    assert first == same != changed


@pytest.mark.parametrize(("spoil", "words"), [("cut", "damaged"), ("remove", "missing")])
def test_weights_that_cannot_be_read_are_named(spoil, words, model, tmp_path):
    for file in model.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    weights = tmp_path / "weights.safetensors"
    if spoil == "cut":
        weights.write_bytes(weights.read_bytes()[:-10])
    else:
        weights.unlink()
    with pytest.raises(PipelineError, match=words):
        Model.load(tmp_path, load_catalogue())


def test_a_voice_is_what_the_manifest_calls_it(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(10), RATE)
    table = [
        ("path", "source", "speaker", "voice", "corpus"),
        ("a.wav", "x", "anna", "low", "page"),
        ("a.wav", "x", "anna", "high", "page"),
        ("a.wav", "y", "anna", "low", "page"),
        ("a.wav", "x", "", "low", "page"),
        ("a.wav", "x", "unknown", "", "page"),
        ("a.wav", "x", "", "", ""),
        ("a.wav", "x", "", "", "unknown"),
    ]
    with (tmp_path / "manifest.csv").open("w", newline="") as file:
        csv.writer(file).writerows(table)
    anna, again, elsewhere, low, page, bare, unknown = voices(read_manifest(tmp_path / "manifest.csv").rows)
    assert anna == again
    assert bare == unknown
    assert len({anna, elsewhere, low, page, bare}) == 5
