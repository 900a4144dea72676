"""Training: repeatable, resumable, honest about what it can't do; on three made systems, noise through filters."""

import csv
import hashlib
import importlib.metadata
import importlib.util
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from itertools import pairwise, product
from typing import ClassVar

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import load_file

from earwitness.errors import MissingExtraError, OptionError, TrainingError
from earwitness.loading import load_experts
from earwitness.manifest import read_manifest
from earwitness.model import Model
from earwitness.pipeline import Pipeline, Recipe
from earwitness.places import cache_folder
from earwitness.plugins import load_catalogue
from earwitness.subset import Subset
from earwitness.training import features as features_module
from earwitness.training import learn, loop, train
from earwitness.training import run as run_module
from earwitness.training.card import Lesson, write_card
from earwitness.training.data import Corpus, batches, crop, gather
from earwitness.training.export import export_network
from earwitness.training.features import Rendered, render
from earwitness.training.learner import Classifier, Learner, prototypical_cosines, with_margin
from earwitness_degradations import Noise
from earwitness_embedders import ResNet18, Stats
from earwitness_frontends import Lfcc
from earwitness_scorers import Mahalanobis, Softmax

RATE = 16000
SYSTEMS = {"hiss": [1, -0.95], "hum": [1, 0.95], "nasal": [1, 0, 0.95]}
RECIPE = Recipe(epochs=3, steps=4, batch=12, crop=0.4, versions=((), (Noise(),)))
PIPELINE = Pipeline(
    "tiny", Lfcc(), ResNet18(width=2, dim=8), Mahalanobis(), rate=RATE, window=0.8, hop=0.4, training=RECIPE
)


def make_clip(path, taps, seed):
    noise = np.random.default_rng(seed).standard_normal(RATE)
    soundfile.write(path, 0.1 * np.convolve(noise, taps, "same"), RATE)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """A manifest of 3 systems: 6 clips each to learn from, 2 to watch, and one of no known system."""
    folder = tmp_path_factory.mktemp("corpus")
    rows = []
    for kind, (source, taps) in enumerate(SYSTEMS.items()):
        for number in range(8):
            path = f"{source}{number}.wav"
            make_clip(folder / path, taps, 100 * kind + number)
            rows.append((path, source, "train" if number < 6 else "dev"))
    rows.append(("hiss0.wav", "", "train"))
    return write_manifest(folder / "manifest.csv", rows)


def write_manifest(path, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("path", "source", "split"), *rows])
    return read_manifest(path)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def model(corpus, cache, tmp_path_factory):
    """A model trained without interruption."""
    return train(PIPELINE, corpus, tmp_path_factory.mktemp("model") / "made", cache=cache, quiet=True)


@pytest.fixture
def unexported(monkeypatch):
    """Leave out the export, which takes most of the time."""
    monkeypatch.setattr("earwitness.training.export.export_network", lambda *_: None)


def same(a, b):
    first, second = (load_file(folder / "weights.safetensors") for folder in (a, b))
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


def test_the_folder_is_a_model_that_answers_as_it_learned(model):
    assert {path.name for path in model.iterdir()} == {
        "pipeline.yaml",
        "weights.safetensors",
        "network.onnx",
        "head.safetensors",
        "card.md",
    }
    loaded = Model.load(model, load_catalogue())
    assert loaded.pipeline == PIPELINE
    weights = load_file(model / "weights.safetensors")
    torch_model = Classifier(PIPELINE.embedder.network(60), 8, 3)
    torch_model.load_state_dict(weights)
    windows = np.random.default_rng(0).standard_normal((4, PIPELINE.length)).astype(np.float32)
    features = PIPELINE.frontend(windows, RATE)
    with torch.inference_mode():
        expected = torch_model.eval().network(torch.from_numpy(features)).numpy()
    np.testing.assert_allclose(loaded.embedder(features), expected, atol=1e-4 * np.abs(expected).max())


def test_the_head_it_learned_under_is_there_for_scorers(model):
    """Logits by the model's heads are the cosines that training descended on, times the scorer's scale."""
    loaded = Model.load(model, load_catalogue())
    assert list(loaded.heads) == ["hiss", "hum", "nasal"]
    learned = Classifier(PIPELINE.embedder.network(60), 8, 3)
    learned.load_state_dict(load_file(model / "weights.safetensors"))
    windows = np.random.default_rng(0).standard_normal((4, PIPELINE.length)).astype(np.float32)
    features = PIPELINE.frontend(windows, RATE)
    with torch.inference_mode():
        expected = learned.eval()(torch.from_numpy(features)).numpy()
    rows = loaded.embed(features)
    numbers, heads = np.arange(4), np.stack([loaded.heads[source] for source in ("hum", "hiss")])
    gallery = Subset(("hum", "hiss"), heads, rows, *[numbers % 2] * 3)
    scorer = Softmax(scale=2.0, logits="head")
    values = scorer.score(scorer.fit(gallery), gallery, rows).values
    np.testing.assert_allclose(values, 2 * expected[:, [1, 0]], atol=1e-3)


def test_the_card_tells_data_figures_seed_and_versions(model, corpus):
    card = (model / "card.md").read_text()
    assert hashlib.sha256(corpus.path.read_bytes()).hexdigest() in card
    assert "| nasal | 6 | 2 |" in card
    assert "Seed 0, on cpu" in card
    assert f"- torch {importlib.metadata.version('torch')}" in card
    assert PIPELINE.to_yaml() in card


@pytest.mark.usefixtures("unexported")
def test_same_seed_same_weights_and_another_seed_others(model, corpus, cache, tmp_path):
    assert same(model, train(PIPELINE, corpus, tmp_path / "again", cache=cache, quiet=True))
    assert not same(model, train(PIPELINE, corpus, tmp_path / "other", seed=1, cache=cache, quiet=True))


@pytest.mark.usefixtures("unexported")
def test_training_leaves_the_callers_chance_and_strictness_alone(corpus, cache, tmp_path):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    train(PIPELINE, corpus, tmp_path / "made", cache=cache, quiet=True)
    assert torch.equal(torch.rand(3), expected)
    assert not torch.are_deterministic_algorithms_enabled()


KILLED = """
import sys
from pathlib import Path
from earwitness.manifest import read_manifest
from earwitness.pipeline import Pipeline
from earwitness.plugins import load_catalogue
from earwitness.training import train
pipeline = Pipeline.from_yaml(Path(sys.argv[1]).read_text(), load_catalogue())
train(pipeline, read_manifest(sys.argv[2]), Path(sys.argv[3]), cache=Path(sys.argv[4]), quiet=True)
"""


@pytest.mark.usefixtures("unexported")
def test_killed_and_begun_again_it_ends_where_it_would_have(model, corpus, cache, tmp_path):
    out = tmp_path / "made"
    arguments = [model / "pipeline.yaml", corpus.path, out, cache]
    process = subprocess.Popen([sys.executable, "-c", KILLED, *map(str, arguments)])
    while not (out / "checkpoint.safetensors").exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (out / "pipeline.yaml").exists()
    assert same(model, train(PIPELINE, corpus, out, cache=cache, quiet=True))
    assert not (out / "checkpoint.safetensors").exists()


class StoppedError(Exception):
    pass


def begin(corpus, cache, out, monkeypatch, epochs):
    """Train until `epochs` checkpoints are written, then stop without warning."""
    save, saved = loop.checkpoint.save, []

    def stopping(*arguments):
        save(*arguments)
        saved.append(1)
        if len(saved) == epochs:
            raise StoppedError

    with monkeypatch.context() as patch:
        patch.setattr(loop.checkpoint, "save", stopping)
        with pytest.raises(StoppedError):
            train(PIPELINE, corpus, out, cache=cache, quiet=True)


@pytest.mark.usefixtures("unexported")
@pytest.mark.parametrize("epochs", [1, 2, 3])
def test_every_epoch_is_a_place_to_go_on_from(epochs, model, corpus, cache, tmp_path, monkeypatch):
    begin(corpus, cache, tmp_path, monkeypatch, epochs)
    assert same(model, train(PIPELINE, corpus, tmp_path, cache=cache, quiet=True))


def test_another_run_cannot_go_on(corpus, cache, tmp_path, monkeypatch):
    begin(corpus, cache, tmp_path, monkeypatch, 1)
    hotter = replace(PIPELINE, training=replace(RECIPE, learning_rate=1e-2))
    fewer = replace(corpus, rows=corpus.rows[1:])
    for pipeline, manifest, seed in [(hotter, corpus, 0), (PIPELINE, fewer, 0), (PIPELINE, corpus, 1)]:
        with pytest.raises(TrainingError, match="another recipe, manifest, seed or start"):
            train(pipeline, manifest, tmp_path, seed=seed, cache=cache, quiet=True)


def test_a_torn_checkpoint_is_named(corpus, cache, tmp_path, monkeypatch):
    begin(corpus, cache, tmp_path, monkeypatch, 1)
    file = tmp_path / "checkpoint.safetensors"
    file.write_bytes(file.read_bytes()[:-10])
    with pytest.raises(TrainingError, match=r"damaged.*delete"):
        train(PIPELINE, corpus, tmp_path, cache=cache, quiet=True)


def test_a_finished_model_is_not_overwritten(model, corpus, cache):
    before = (model / "weights.safetensors").read_bytes()
    with pytest.raises(TrainingError, match="finished model"):
        train(PIPELINE, corpus, model, cache=cache, quiet=True)
    assert (model / "weights.safetensors").read_bytes() == before


def test_nothing_to_learn_needs_no_torch(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(learn, "find_spec", lambda _: None)
    out = train(replace(PIPELINE, embedder=Stats()), corpus, tmp_path / "stats", quiet=True)
    assert {path.name for path in out.iterdir()} == {"pipeline.yaml", "card.md"}
    assert Model.load(out, load_catalogue()).probe().shape == (120,)


def test_without_the_extra_it_says_how_to_get_it(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(learn, "find_spec", lambda name: None if name == "torch" else importlib.util.find_spec(name))
    with pytest.raises(MissingExtraError, match=r"pip install 'earwitness\[train\]'"):
        train(PIPELINE, corpus, tmp_path, quiet=True)


def test_cuda_without_a_gpu_is_refused(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(OptionError, match="no GPU"):
        train(PIPELINE, corpus, tmp_path, device="cuda", quiet=True)


@pytest.mark.parametrize(
    ("keep", "words"),
    [
        (lambda row: row.source == "hum", "two or more"),
        (lambda row: row.split == "dev", "0 source"),
        (lambda row: row.split == "train", "from 'train' to 'dev'"),
        (lambda row: row.source != "hum" or row.split == "dev", None),
        (lambda row: (row.split == "dev") == (row.source == "hum"), "from 'train' to 'dev'"),
    ],
)
def test_a_manifest_must_bear_training(keep, words, corpus):
    manifest = replace(corpus, rows=tuple(filter(keep, corpus.rows)))
    if words:
        with pytest.raises(TrainingError, match=words):
            gather(manifest, "system")
    else:
        assert gather(manifest, "system")[1].counts == {"hiss": 2, "nasal": 2}


def test_clips_of_another_task_are_left_out(corpus):
    rows = tuple(replace(row, task="device" if row.source == "hum" else None) for row in corpus.rows)
    train_corpus, _ = gather(replace(corpus, rows=rows), "system")
    assert train_corpus.sources == ("hiss", "nasal")


def test_a_loss_that_explodes_is_an_error(corpus, cache, tmp_path):
    wild = replace(PIPELINE, training=replace(RECIPE, learning_rate=1e30))
    with pytest.raises(TrainingError, match="learning_rate"):
        train(wild, corpus, tmp_path, cache=cache, quiet=True)


def rendered(corpus, cache):
    both = gather(corpus, "system")
    return [
        replace(part, clips=render(part.rows, [RECIPE.versions] * len(part.rows), PIPELINE, 0, cache, True))
        for part in both
    ]


def test_it_stops_when_dev_no_longer_improves_and_keeps_the_best(corpus, cache, tmp_path, monkeypatch):
    figures, weights = iter([0.5, 0.9, 0.8, 0.9, 0.95]), []

    def fake(learner, _):
        weights.append(learner.weights())
        return next(figures)

    monkeypatch.setattr(loop, "evaluate", fake)
    recipe = replace(RECIPE, epochs=5, patience=2)
    learner = Learner(PIPELINE.embedder, recipe, (78, 60), 3, 0)
    progress = loop.fit(learner, recipe, 0.5, *rendered(corpus, cache), tmp_path / "checkpoint", "run", True)
    assert progress.figures == [0.5, 0.9, 0.8, 0.9]
    assert progress.best_epoch == 1
    assert all(torch.equal(progress.best[key], weights[1][key]) for key in weights[1])


def test_learning_beats_chance_and_evaluate_is_macro_f1(corpus, cache, tmp_path):
    train_corpus, dev = rendered(corpus, cache)
    recipe = replace(RECIPE, epochs=2, steps=40)
    learner = Learner(PIPELINE.embedder, recipe, (78, 60), 3, 0)
    progress = loop.fit(learner, recipe, 0.5, train_corpus, dev, tmp_path / "checkpoint", "run", True)
    assert progress.losses[-1] < progress.losses[0]
    assert max(progress.figures) > 0.9
    learner.cosines = lambda features: np.tile([0.0, 1.0, 0.0], (len(features), 1))  # always 'hum'
    assert loop.evaluate(learner, dev) == pytest.approx((0 + 2 * (1 / 3) / (1 / 3 + 1) + 0) / 3)


def test_a_clip_without_sound_is_named(corpus, cache, tmp_path):
    soundfile.write(tmp_path / "silence.wav", np.zeros(RATE), RATE)
    silent = replace(corpus.rows[0], path=tmp_path / "silence.wav")
    with pytest.raises(TrainingError, match=r"silence\.wav is silent"):
        train(PIPELINE, replace(corpus, rows=(*corpus.rows, silent)), tmp_path / "made", cache=cache, quiet=True)


@pytest.mark.parametrize(("sources", "line"), [(3, "| 02 | 4 | 2 |"), (101, "| 101 sources | 404 | 202 |")])
def test_a_card_counts_sources_that_nobody_would_read_one_by_one(sources, line, corpus, tmp_path):
    counts = {f"{n:02}": 4 for n in range(sources)}
    lesson = Lesson(counts, dict.fromkeys(counts, 2), 0, "cpu", 0.5, "by a coin", 1.0)
    write_card(tmp_path / "card.md", PIPELINE, corpus, lesson)
    rows = [row for row in (tmp_path / "card.md").read_text().splitlines() if row.startswith("| ")][2:]
    assert line in rows
    assert len(rows) == (sources if sources < 100 else 1)


def sized(*sizes):
    return Corpus((), np.repeat(np.arange(len(sizes)), sizes), tuple("abc"[: len(sizes)]))


def test_classes_are_drawn_by_the_root_of_their_size():
    corpus = sized(100, 25, 4)
    drawn = corpus.draw(60_000, np.random.default_rng(0))
    shares = np.bincount(corpus.labels[drawn]) / len(drawn)
    np.testing.assert_allclose(shares, np.array([10, 5, 2]) / 17, atol=0.01)
    clips = np.bincount(drawn)[:100] / len(drawn)
    np.testing.assert_allclose(clips, 10 / 17 / 100, atol=0.002)


def test_an_episode_has_so_many_clips_of_each_of_its_classes():
    corpus = sized(9, 3, 2, 5)
    for seed in range(50):
        drawn = corpus.draw_episode(7, 3, np.random.default_rng(seed)).reshape(-1, 3)
        labels = corpus.labels[drawn]
        assert labels.shape == (2, 3)
        assert (labels == labels[:, :1]).all()
        assert len(set(labels[:, 0])) == 2
        assert len(set(drawn.ravel().tolist())) == 6
        assert 2 not in labels, "two clips are no three"
    assert len(corpus.draw_episode(300, 3, np.random.default_rng(0))) == 9


@pytest.mark.parametrize(("count", "shots"), [(8, 1), (5, 3), (300, 6)])
def test_an_episode_that_nobody_could_learn_from_is_refused(count, shots):
    with pytest.raises(TrainingError, match=r"change training\.shots"):
        sized(9, 3, 2, 5).draw_episode(count, shots, np.random.default_rng(0))


def test_prototypical_cosines_leave_a_clip_out_of_its_own_mean():
    rng = np.random.default_rng(0)
    e = rng.standard_normal((4, 3, 5))
    e /= np.linalg.norm(e, axis=2, keepdims=True)
    cosines, targets = prototypical_cosines(torch.from_numpy(e.reshape(12, 5)), 3)
    assert targets.tolist() == [0, 1, 2, 3] * 3
    for row, (place, own) in enumerate(product(range(3), range(4))):
        others = [place_ for place_ in range(3) if place_ != place]
        means = e[:, others].mean(axis=1)
        expected = means @ e[own, place] / np.linalg.norm(means, axis=1)
        np.testing.assert_allclose(cosines[row], expected, atol=1e-12)


def test_episodes_learn_what_tells_classes_apart_and_leave_means_as_the_head(corpus, cache, tmp_path):
    train_corpus, dev = rendered(corpus, cache)
    recipe = replace(RECIPE, epochs=2, steps=40, batch=12, shots=4, scale=20.0)
    learner = Learner(PIPELINE.embedder, recipe, (78, 60), 3, 0)
    progress = loop.fit(learner, recipe, 0.5, train_corpus, dev, tmp_path / "checkpoint", "run", True)
    assert progress.losses[-1] < progress.losses[0]
    assert max(progress.figures) > 0.7  # chance is a third
    clips = np.flatnonzero(train_corpus.labels == 1)[:4]
    windows = np.concatenate([train_corpus.clips[clip].windows(0) for clip in clips])
    with torch.inference_mode():
        total = learner.model.eval().embed(torch.from_numpy(windows)).sum(dim=0)
    np.testing.assert_allclose(learner.model.head.weight[1].detach(), total, atol=1e-4)


def test_every_version_window_and_stretch_is_heard(tmp_path):
    files = []
    for version in range(2):
        files.append(tmp_path / f"{version}.npy")
        np.save(files[-1], (100 * version + np.arange(30).reshape(3, 10, 1)).astype(np.float16))
    corpus = replace(sized(1, 1), clips=(Rendered(tuple(files)),) * 2)
    ((features, labels),) = batches(corpus, Recipe(batch=2000, steps=1), 0.3, np.random.default_rng(0))
    assert features.shape == (2000, 3, 1)
    assert features.dtype == np.float32
    assert set(labels.tolist()) == {0, 1}
    assert all(np.array_equal(np.diff(example[:, 0]), [1, 1]) for example in features)
    starts = {100 * version + 10 * window + start for version in (0, 1) for window in range(3) for start in range(8)}
    assert set(features[:, 0, 0].tolist()) == starts


@pytest.mark.parametrize(("share", "frames"), [(0.01, 1), (0.5, 5), (1.0, 10), (2.0, 10)])
def test_a_crop_is_at_least_a_frame_and_at_most_the_window(share, frames):
    window = np.arange(10.0)[:, None]
    cut = crop(window, share, np.random.default_rng(0))
    assert len(cut) == frames
    assert all(b - a == 1 for a, b in pairwise(cut[:, 0]))


def test_features_are_those_of_answering(corpus, cache):
    (clip, *_), _ = (part.clips for part in rendered(corpus, cache))
    row = gather(corpus, "system")[0].rows[0]
    sound, _ = soundfile.read(row.path, dtype="float32")
    windows = np.concatenate([w.samples for w in features_module.cut([sound], RATE, PIPELINE.window, PIPELINE.hop)])
    np.testing.assert_allclose(clip.windows(0), PIPELINE.frontend(windows, RATE), rtol=1e-3, atol=1e-3)
    assert clip.windows(0).shape == clip.windows(1).shape
    assert np.abs(clip.windows(0) - clip.windows(1)).max() > 0.01


@dataclass(frozen=True)
class Centre:
    """Fitted: features less the mean of all windows."""

    name: ClassVar[str] = "centre"

    def fit(self, features, labels, cells):
        assert len(features) == len(labels) == len(cells)
        return {"middle": features.mean(axis=(0, 1))}

    def embed(self, state, features):
        return features.mean(axis=1) - state["middle"]


def test_windows_as_long_as_their_clips_at_their_own_rates_can_be_learned_from(corpus, tmp_path):
    rows = [("wide.wav", 24000, 1.7, "hum"), ("narrow.wav", 8000, 0.6, "hiss"), ("dev.wav", 96000, 0.5, "hum")]
    for name, rate, seconds, _ in rows:
        soundfile.write(tmp_path / name, 0.1 * np.random.default_rng(rate).standard_normal(round(rate * seconds)), rate)
    listed = [(name, source, "dev" if name == "dev.wav" else "train") for name, _, _, source in rows]
    pipeline = Pipeline("whole", Lfcc(), Centre(), Mahalanobis(), rate="native", window="clip")
    model = train(pipeline, write_manifest(tmp_path / "m.csv", listed), tmp_path / "model", cache=tmp_path, quiet=True)
    means = []
    for name, rate, *_ in rows[:2]:
        sound, _ = soundfile.read(tmp_path / name, dtype="float64")
        window = ((sound - sound.mean()) / sound.std()).astype(np.float32)
        means.append(Lfcc()(window[None], rate)[0].mean(axis=0))
    state = load_file(model / "weights.safetensors")
    np.testing.assert_allclose(state["middle"], np.mean(means, axis=0), atol=2e-3)  # kept as float16
    (kept,) = render(gather(corpus, "system")[1].rows[:1], [((),)], pipeline, 0, tmp_path, True)
    assert kept.windows(0).shape[0] == 1


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_rendering_hangs_on_no_order_and_no_process(corpus, tmp_path, monkeypatch):
    rows = gather(corpus, "system")[0].rows
    versions = [RECIPE.versions] * len(rows)
    render(rows, versions, PIPELINE, 0, tmp_path / "serial", True)
    monkeypatch.setattr(features_module, "SHARE", 8)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    render(rows[::-1], versions, PIPELINE, 0, tmp_path / "parallel", True)
    assert contents(tmp_path / "serial") == contents(tmp_path / "parallel")


def test_the_cache_is_used_again_for_what_is_the_same(corpus, tmp_path, monkeypatch):
    rows = gather(corpus, "system")[0].rows[:2]
    made, compute = [], features_module._features

    def counting(clip, chain, *rest):
        made.append(chain)
        return compute(clip, chain, *rest)

    monkeypatch.setattr(features_module, "_features", counting)

    def newly_made(pipeline=PIPELINE, seed=0, versions=RECIPE.versions):
        made.clear()
        render(rows, [versions] * 2, pipeline, seed, tmp_path, True)
        return list(made)

    clean, noisy = RECIPE.versions
    assert newly_made() == [clean, noisy] * 2
    assert newly_made() == []
    assert newly_made(seed=1) == [noisy] * 2
    assert newly_made(versions=(clean, (Noise(ratio=(0.0, 5.0)),))) == [(Noise(ratio=(0.0, 5.0)),)] * 2
    assert newly_made(replace(PIPELINE, embedder=Stats(), name="other")) == []
    assert newly_made(replace(PIPELINE, frontend=Lfcc(hop_ms=20.0))) == [clean, noisy] * 2
    assert newly_made(replace(PIPELINE, window=0.6)) == [clean, noisy] * 2


def test_the_default_cache_is_where_the_desktop_says(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() / "features" == tmp_path / "earwitness" / "features"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() / "features" == tmp_path / ".cache" / "earwitness" / "features"


def test_dev_is_watched_clean_and_in_every_degraded_version():
    a, b = (Noise(slope=(0.0, 0.0)),), (Noise(),)
    assert run_module._watched(3, ((), a, b)) == [((), a), ((), b), ((), a)]
    assert run_module._watched(2, ((),)) == [((),), ((),)]


def test_the_margin_turns_only_the_own_class_away():
    """Against cos(a + m) = cos a cos m - sin a sin m in float64, cut where the angle would pass pi."""
    cosines = np.random.default_rng(0).uniform(-1, 1, (50, 4))
    targets = np.arange(50) % 4
    expected = cosines.copy()
    own = cosines[np.arange(50), targets]
    turned = own * np.cos(0.3) - np.sqrt(1 - own**2) * np.sin(0.3)
    expected[np.arange(50), targets] = np.where(own < np.cos(np.pi - 0.3), -1.0, turned)
    computed = with_margin(torch.from_numpy(cosines), torch.from_numpy(targets), 0.3)
    np.testing.assert_allclose(computed, expected, atol=2e-3)


def test_the_margin_has_finite_slopes_at_the_poles():
    cosines = torch.tensor([[1.0, -1.0], [-1.0, 1.0]], requires_grad=True)
    with_margin(cosines, torch.tensor([0, 0]), 0.2).sum().backward()
    assert torch.isfinite(cosines.grad).all()


def test_an_export_that_differs_is_refused(tmp_path):
    class Stateful(torch.nn.Module):
        def forward(self, features):
            scale = 1.0 if torch.compiler.is_exporting() else 2.0
            return scale * features.mean(1)

    with pytest.raises(TrainingError, match="something else as ONNX"):
        export_network(Stateful(), (4, 3), tmp_path / "network.onnx")
    assert not (tmp_path / "network.onnx").exists()


def test_the_shipped_pipelines_read_and_write_the_same():
    catalogue = load_catalogue()
    shipped = {each.name: each for name in catalogue.names("pipeline") for each in load_experts(name, catalogue)}
    assert {"lfcc-resnet", "lfcc-resnet-clean", "lfcc-stats"} <= shipped.keys()
    assert all(Pipeline.from_yaml(p.to_yaml(), catalogue) == p for p in shipped.values())
    clean, degraded = shipped["lfcc-resnet-clean"], shipped["lfcc-resnet"]
    assert replace(degraded, name=clean.name, training=clean.training) == clean
    assert degraded.training.versions[0] == ()
    assert 8 <= len(degraded.training.versions) <= 10


def test_near_kin_share_a_family():
    catalogue = load_catalogue()
    kin = [("espeak-ng-klatt", "espeak148-klatt"), ("espeak-ng-formant", "espeak148-formant")]
    assert all(catalogue.card(a).family == catalogue.card(b).family == "espeak" for a, b in kin)
    assert catalogue.card("genuine").kind == "genuine"


def test_importing_training_brings_no_torch():
    code = "import earwitness.training, sys; print({'torch', 'sklearn', 'speechbrain'} & sys.modules.keys())"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "set()\n"
