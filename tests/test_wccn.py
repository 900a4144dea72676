"""`wccn` against scikit-learn and its own definition; and the way from clips to a model that answers by it."""

import csv

import numpy as np
import pytest
import soundfile
from safetensors.numpy import load_file
from sklearn.covariance import shrunk_covariance
from sklearn.decomposition import PCA

from earwitness.contracts import Embedder, FittedEmbedder, LearnedEmbedder, Scorer
from earwitness.engine import open_engine
from earwitness.errors import PipelineError
from earwitness.manifest import read_manifest
from earwitness.model import Model
from earwitness.pipeline import Pipeline, Recipe
from earwitness.plugins import load_catalogue
from earwitness.training import train
from earwitness.training.closed_form import voices
from earwitness_degradations import Noise
from earwitness_embedders import ResNet18, Stats, Wccn
from earwitness_frontends import Dynamics
from earwitness_scorers import CellLda, Softmax

RATE = 16000
PIPELINE = Pipeline(
    "tiny",
    Dynamics(),
    Wccn(components=20),
    CellLda(),
    rate=RATE,
    window=0.8,
    hop=0.4,
    training=Recipe(versions=((), (Noise(),))),
)


def unequal(seed=1):
    """Three classes of 2, 3 and 4 voices of unequal numbers of windows, (N, 2, dims), frames apart."""
    rng = np.random.default_rng(seed)
    owner = np.repeat([0, 1, 2], [2, 3, 4])
    cells = np.repeat(np.arange(9), rng.integers(10, 40, 9))
    places = 3 * rng.standard_normal((3, 6))[owner] + rng.standard_normal((9, 6))
    rows = places[cells][:, None] + rng.standard_normal((len(cells), 2, 6)) * [1, 2, 1, 0.5, 1, 3] + 5
    return rows.astype(np.float32), owner[cells], cells


def embedded(wccn, features, labels, cells):
    return wccn.embed(wccn.fit(features, labels, cells), features).astype(np.float64)


def within_and_middle(rows, labels, cells):
    """The within-scatter, voices and classes counting alike, and the mean of the classes' means."""
    within, middles = [], []
    for label in np.unique(labels):
        own = [rows[cells == cell] for cell in np.unique(cells[labels == label])]
        means = np.array([part.mean(axis=0) for part in own])
        within.append(np.mean([np.cov(part.T, bias=True) for part in own], axis=0) + np.cov(means.T, bias=True))
        middles.append(means.mean(axis=0))
    return np.mean(within, axis=0), np.mean(middles, axis=0)


def test_it_is_a_fitted_embedder_and_no_other():
    assert isinstance(Wccn(), FittedEmbedder)
    assert not isinstance(Wccn(), Embedder | LearnedEmbedder | Scorer)
    assert not any(isinstance(other, FittedEmbedder) for other in (Stats(), ResNet18(), CellLda(), Softmax()))


@pytest.mark.parametrize("components", [150, 4])
def test_within_scatter_is_the_identity_and_the_origin_is_the_middle(components):
    features, labels, cells = unequal()
    e = embedded(Wccn(shrinkage=0.0, components=components), features, labels, cells)
    within, middle = within_and_middle(e, labels, cells)
    np.testing.assert_allclose(within, np.eye(min(components, 6)), atol=1e-4)
    if components >= 6:  # fewer axes are those of all windows, in the same place
        np.testing.assert_allclose(middle, 0, atol=1e-4)


@pytest.mark.parametrize("components", [150, 6, 3, 1])
@pytest.mark.parametrize("shrinkage", [0.0, 0.1, 1.0])
def test_products_of_embeddings_are_those_of_the_formulas(shrinkage, components):
    """e e' = y W_s^-1 y', whatever the signs of the axes, y the principal components of standardised features."""
    features, labels, cells = unequal()
    ours = embedded(Wccn(shrinkage=shrinkage, components=components), features, labels, cells)
    x = features.mean(axis=1, dtype=np.float64)
    z = (x - within_and_middle(x, labels, cells)[1]) / x.std(axis=0)
    y = z @ PCA(min(components, 6)).fit(z).components_.T
    within, _ = within_and_middle(y, labels, cells)
    expected = y @ np.linalg.inv(shrunk_covariance(np.atleast_2d(within), shrinkage)) @ y.T
    np.testing.assert_allclose(ours @ ours.T, expected, atol=1e-4 * np.abs(expected).max())


def test_voices_count_alike_however_much_they_speak_and_are_numbered():
    features, labels, cells = unequal()
    wccn, more = Wccn(shrinkage=0.0), np.flatnonzero(cells == 3)
    often = np.r_[np.arange(len(cells)), more, more, more]
    e = embedded(wccn, features, labels, cells)
    for state in (wccn.fit(features[often], labels[often], cells[often]), wccn.fit(features, labels, 50 - cells)):
        other = wccn.embed(state, features)
        np.testing.assert_allclose(other @ other.T, e @ e.T, atol=1e-3 * np.abs(e @ e.T).max())


def test_what_voices_do_is_divided_out_and_what_tells_classes_apart_stays():
    """Classes differ by 1 along one axis, voices by 20 along another, where the eye would look."""
    rng = np.random.default_rng(0)
    labels, cells = np.repeat([0, 1], 200), np.repeat(np.arange(20), 20)  # ten voices, the same in both
    rows = rng.standard_normal((400, 1, 5)) * 0.3
    rows[:, 0, 2] += labels
    rows[:, 0, 4] += 20 * rng.standard_normal(10)[cells % 10]
    wccn, ends = Wccn(), np.zeros((3, 1, 5), np.float32)
    ends[1, 0, 2], ends[2, 0, 4] = 1, 20
    origin, other_class, other_voice = wccn.embed(wccn.fit(rows.astype(np.float32), labels, cells), ends)
    assert np.linalg.norm(other_class - origin) > 2 * np.linalg.norm(other_voice - origin)


def test_a_class_met_later_differs_where_those_at_hand_do_not():
    features, labels, cells = unequal()
    features[..., 3] = np.random.default_rng(0).standard_normal(features.shape[:2])  # the same for all
    later = features[labels == 0].copy()
    later[..., 3] += 6
    wccn = Wccn()
    state = wccn.fit(features, labels, cells)
    apart = wccn.embed(state, later) - wccn.embed(state, features[labels == 0])
    assert np.linalg.norm(apart, axis=1).min() > 4


def test_a_feature_is_cut_at_the_limit():
    features, labels, cells = unequal()
    wccn, x = Wccn(limit=5.0), features.mean(axis=1, dtype=np.float64)
    state = wccn.fit(features, labels, cells)
    middle = within_and_middle(x, labels, cells)[1]
    wild, edge = (np.tile(middle, (1, 1, 1)) for _ in range(2))
    wild[..., 1], edge[..., 1] = 1e6, middle[1] + 5 * x[:, 1].std()
    far, at_the_limit = (wccn.embed(state, each.astype(np.float32)) for each in (wild, edge))
    np.testing.assert_allclose(far, at_the_limit, atol=1e-4)


@pytest.mark.parametrize(("components", "length"), [(150, 6), (6, 6), (2, 2)])
def test_answers_come_one_by_one_and_are_as_long_as_asked(components, length):
    features, labels, cells = unequal()
    wccn = Wccn(components=components)
    state = wccn.fit(features, labels, cells)
    assert {key: (value.dtype, value.shape) for key, value in state.items()} == {
        "mean": (np.float32, (6,)),
        "scale": (np.float32, (6,)),
        "projection": (np.float32, (6, length)),
    }
    alone = np.concatenate([wccn.embed(state, window[None]) for window in features[:9]])
    np.testing.assert_allclose(wccn.embed(state, features[:9]), alone, atol=1e-6)


def test_axes_along_which_nothing_varies_are_left_out():
    features, labels, cells = unequal()
    doubled = np.concatenate([features, features], axis=2)
    assert embedded(Wccn(), doubled, labels, cells).shape == (len(labels), 6)
    assert embedded(Wccn(), np.eye(4, 300, dtype=np.float32)[:, None], np.arange(4), np.arange(4)).shape == (4, 3)


POOR = {
    "nothing": np.zeros((4, 1, 3)),
    "still": np.ones((4, 1, 3)) * [0.1, 2, 1e4],
    "a line": np.arange(12.0).reshape(4, 1, 3),
    "one value": np.arange(4.0).reshape(4, 1, 1),
    "more values than windows": np.eye(4, 300)[:, None],
    "huge and tiny": np.arange(12.0).reshape(4, 1, 3) ** 2 * [1e-30, 1, 1e15],
}


@pytest.mark.parametrize("features", POOR.values(), ids=POOR)
@pytest.mark.parametrize("cells", [[0, 0, 1, 1], [0, 1, 2, 3], [0, 0, 0, 1]])
def test_poor_data_gives_finite_answers(features, cells):
    labels = (np.array(cells) == max(cells)).astype(int)
    e = embedded(Wccn(), features.astype(np.float32), labels, np.array(cells))
    assert np.isfinite(e).all()
    assert np.abs(e).max() < 1e6


def test_one_window_gives_a_finite_answer():
    e = embedded(Wccn(), np.ones((1, 2, 3), np.float32), np.zeros(1, int), np.zeros(1, int))
    np.testing.assert_array_equal(e, np.zeros((1, 3)))


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
    z = np.clip((vectors - state["mean"]) * state["scale"], -8, 8)
    expected = z @ state["projection"]
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(loaded.embed(Dynamics()(windows, RATE)), expected, atol=1e-4)
    loaded.check(loaded.probe())


def test_it_learned_what_tells_the_systems_apart(model):
    card = (model / "card.md").read_text()
    assert "Macro-F1 on dev, by the nearest mean embedding, over clean and degraded clips: **1.000**" in card
    assert "| quick | 4 | 2 |" in card
    assert "Seed 0, on cpu" in card


def test_clips_it_never_heard_are_named_from_the_gallery_of_the_others(model, corpus, tmp_path, call):
    registry = tmp_path / "registry"
    assert call("registry", "init", "--registry", registry, "--model", model, "--name", "tiny").code == 0
    with open_engine(registry) as engine:
        pairs = [(row.source, row.path) for row in corpus.select(split="train").rows]
        assert {outcome.outcome for outcome in engine.enroll_many(pairs)} == {"added"}
    with open_engine(registry) as engine:
        for row in corpus.select(split="dev").rows:
            (verdict,) = engine.identify(row.path)
            assert verdict.ranking[0].source == row.source


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
