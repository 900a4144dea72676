"""Files to embeddings: whatever shares a batch, each file gets its own rows, and a bad one only its error."""

import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
import pytest
import soundfile

from earwitness import listening
from earwitness.audio import read_clip
from earwitness.errors import AudioError
from earwitness.listening import Excerpt, listen
from earwitness.loading import load_pipeline
from earwitness.model import Model
from earwitness.network import BATCH
from earwitness.plugins import load_catalogue
from earwitness.types import Trace
from earwitness.windows import levelled

RATE = 16000


@pytest.fixture
def batches():
    """The sizes of the batches that the model below embedded."""
    return []


@pytest.fixture
def model(batches):
    """Windows of a quarter second, each embedded as mean and deviation of its features; takes note of batches."""
    pipeline = load_pipeline("lfcc-stats", load_catalogue(), ("window=0.25", "hop=0.25"))

    def embed(features):
        batches.append(len(features))
        return pipeline.embedder(features)

    return Model(pipeline, "space", embed)


@pytest.fixture
def noises(tmp_path):
    """(count) -> that many files of noise, of 1, 2, 3 ... windows."""

    def write(count):
        rng = np.random.default_rng(0)
        for k in range(count):
            samples = 0.1 * rng.standard_normal(RATE * (k + 1) // 4)
            soundfile.write(tmp_path / f"{k:02}.wav", samples, RATE, subtype="FLOAT")
        return [Excerpt(tmp_path / f"{k:02}.wav") for k in range(count)]

    return write


def alone(excerpt, model):
    """(B, d): the windows of a file one by one, their statistics in float64."""
    samples = read_clip(excerpt.path, RATE, excerpt.start, excerpt.end).samples
    vectors = []
    for window in samples.reshape(-1, RATE // 4):
        level = (window - window.mean()) / (window - window.mean()).std()
        features = model.pipeline.frontend(level[None].astype(np.float32), RATE)[0].astype(np.float64)
        vector = np.concatenate([features.mean(axis=0), features.std(axis=0)])
        vectors.append(vector / np.linalg.norm(vector))
    return np.array(vectors)


def same_track(one, two):
    np.testing.assert_array_equal(one.starts, two.starts)
    np.testing.assert_allclose(one.embeddings, two.embeddings, atol=1e-6)
    assert (one.seconds, one.warnings, one.abstention) == (two.seconds, two.warnings, two.abstention)


@pytest.mark.parametrize("count", [1, 7, 8, 12])
def test_each_file_gets_its_own_rows_whatever_shares_a_batch(noises, model, batches, count):
    excerpts = noises(count)
    for k, (excerpt, heard) in enumerate(zip(excerpts, listen(excerpts, [model]), strict=True)):
        assert (heard.excerpt, heard.error, heard.traces) == (excerpt, None, ())
        track = heard.tracks["space"]
        assert (track.abstention, track.seconds) == (None, 0.25)
        np.testing.assert_allclose(track.starts, 0.25 * np.arange(k + 1))
        np.testing.assert_allclose(track.embeddings, alone(excerpt, model), atol=1e-5)
    assert sum(batches) == count * (count + 1) // 2  # the unfilled last batch brings no rows of its own
    assert max(batches) < 2 * BATCH


def test_together_is_one_by_one(noises, model):
    excerpts = noises(9)
    together = list(listen(excerpts, [model]))
    for excerpt, heard in zip(excerpts, together, strict=True):
        (single,) = listen([excerpt], [model])
        same_track(heard.tracks["space"], single.tracks["space"])
        assert heard.origin == single.origin


def test_a_file_that_fails_midway_leaves_no_rows_behind(noises, model, batches, monkeypatch):
    excerpts = noises(12)
    bad, opened = excerpts[10], listening.open_audio

    class Torn:
        """The real stream, torn after two blocks."""

        def __init__(self, stream):
            self.stream = stream

        def __enter__(self):
            self.stream.__enter__()
            return self

        def __exit__(self, *error):
            self.stream.__exit__(*error)

        @property
        def rate(self):
            return self.stream.rate

        def blocks(self) -> Iterator[np.ndarray]:
            block = next(iter(self.stream.blocks()))
            yield from np.split(np.tile(block, 40), 40)
            raise AudioError("torn midway")

    def open_audio(path, *args, **kwargs):
        stream = opened(path, *args, **kwargs)
        return Torn(stream) if path == bad.path else stream

    expected = [heard.tracks["space"].embeddings for heard in listen(excerpts, [model])]
    batches.clear()
    monkeypatch.setattr(listening, "open_audio", open_audio)
    found = list(listen(excerpts, [model]))
    assert sum(batches) > sum(len(rows) for rows in expected)  # rows of the torn file had been embedded
    for k, heard in enumerate(found):
        if heard.excerpt == bad:
            assert str(heard.error) == "torn midway"
            assert (heard.tracks, heard.traces, heard.origin) == ({}, (), None)
        else:
            np.testing.assert_allclose(heard.tracks["space"].embeddings, expected[k], atol=1e-6)


def test_bad_files_keep_their_place_among_good_ones(noises, model, tmp_path):
    good = noises(3)
    soundfile.write(tmp_path / "short.wav", np.ones(100), RATE)
    (tmp_path / "empty.wav").touch()
    asked = [good[0], Excerpt(tmp_path / "gone.wav"), good[1], Excerpt(tmp_path / "empty.wav"), good[2]]
    asked.append(Excerpt(tmp_path / "short.wav"))
    found = list(listen(asked, [model]))
    assert [heard.excerpt for heard in found] == asked
    assert [bool(heard.error) for heard in found] == [False, True, False, True, False, False]
    tracks = [heard.tracks["space"] for heard in found if not heard.error]
    assert [len(track.embeddings) for track in tracks] == [1, 2, 3, 0]
    assert "too short" in tracks[-1].abstention


def test_an_excerpt_is_its_stretch_alone(noises, model, tmp_path):
    whole = noises(8)[7]
    samples, _ = soundfile.read(whole.path, dtype="float32")
    soundfile.write(tmp_path / "cut.wav", samples[RATE // 2 : RATE], RATE, subtype="FLOAT")
    stretch, cut = listen([Excerpt(whole.path, 0.5, 1.0), Excerpt(tmp_path / "cut.wav")], [model])
    same_track(stretch.tracks["space"], cut.tracks["space"])
    assert stretch.origin.samples_sha256 == cut.origin.samples_sha256
    assert stretch.origin.duration == 0.5


@pytest.mark.parametrize(
    ("excerpt", "text"),
    [
        (Excerpt("a.wav"), "a.wav"),
        (Excerpt("a.wav", 1.5, 4.0), "a.wav#1.5-4"),
        (Excerpt("a.wav", 2.0), "a.wav#2-"),
        (Excerpt("a.wav", end=3.25), "a.wav#0-3.25"),
        (Excerpt("a.wav", 12345.678, 12345.679), "a.wav#12345.678-12345.679"),
        (Excerpt("/long/way/a.wav", 1.0, name="a.wav"), "a.wav#1-"),
        (Excerpt(b"caf\xe9\n.wav".decode("utf-8", "surrogateescape")), r"caf\xe9\n.wav"),
    ],
)
def test_an_excerpt_is_named_in_one_line(excerpt, text):
    assert str(excerpt) == text


def model_of(space, *settings):
    """A model of means and deviations of features under these settings."""
    pipeline = load_pipeline("lfcc-stats", load_catalogue(), settings)
    return Model(pipeline, space, pipeline.embedder)


@dataclass(frozen=True)
class Whole:
    """Claims to see a lattice, and keeps what it was shown."""

    name: ClassVar[str] = "whole"
    shown: list = field(default_factory=list)

    def __call__(self, clip):
        self.shown.append(clip)
        end = len(clip.samples) / clip.rate
        return (Trace("upsampling", 80.0, "24 kHz, hop 300", 3.0, 1e-4, (2, 5), 0.0, end),)


MANY = (
    ("window=0.25", "hop=0.25"),
    ("window=0.25", "hop=0.25", "frontend.lfcc60.coefficients=12"),
    ("window=0.5", "hop=0.25"),
    ("rate=8000", "window=1.0", "hop=0.5"),
    ("rate=native", "window=0.3", "hop=0.3"),
    ("rate=native", "window=clip"),
    ("rate=16000", "window=clip"),
)


def test_one_decode_serves_every_model_and_tracer(noises, tmp_path, monkeypatch):
    excerpts = noises(9)
    for rate in (44100, 96000):
        samples = 0.1 * np.random.default_rng(rate).standard_normal(rate * 2)
        soundfile.write(tmp_path / f"{rate}.wav", samples, rate)
        excerpts.append(Excerpt(tmp_path / f"{rate}.wav"))
    models = [model_of(str(k), *settings) for k, settings in enumerate(MANY)]
    alone = [list(listen(excerpts, [model])) for model in models]
    opened, counted = listening.open_audio, []
    monkeypatch.setattr(listening, "open_audio", lambda path, *a, **o: counted.append(path) or opened(path, *a, **o))
    tracer = Whole()
    together = list(listen(excerpts, models, [tracer]))
    assert counted == [excerpt.path for excerpt in excerpts]
    for k, heard in enumerate(together):
        assert list(heard.tracks) == [model.space for model in models]
        for model, single in zip(models, alone, strict=True):
            same_track(heard.tracks[model.space], single[k].tracks[model.space])
            assert heard.origin == single[k].origin
        assert [(trace.start, trace.end) for trace in heard.traces] == [(0.0, heard.origin.duration)]
        whole = read_clip(excerpts[k].path)
        np.testing.assert_array_equal(tracer.shown[k].samples, levelled(whole.samples, whole.rate))
        assert (tracer.shown[k].rate, tracer.shown[k].origin) == (whole.rate, whole.origin)


@pytest.mark.parametrize(("native", "heard"), [(8000, 8000), (44100, 44100), (48000, 48000), (96000, 48000)])
def test_native_is_the_clips_own_rate_up_to_48_khz(tmp_path, native, heard):
    samples = 0.1 * np.random.default_rng(0).standard_normal(native * 3)
    soundfile.write(tmp_path / "a.wav", samples, native, subtype="FLOAT")
    model, rates = model_of("native", "rate=native", "window=clip"), []

    def embed(features):
        return features.mean(axis=1)

    class Frontend:
        def __call__(self, windows, rate):
            rates.append((windows.shape, rate))
            return windows[:, None, :9]

    shown = Model(replace(model.pipeline, frontend=Frontend()), "native", embed)
    (found,) = listen([Excerpt(tmp_path / "a.wav")], [shown])
    assert rates == [((1, 3 * heard), heard)]
    track = found.tracks["native"]
    assert (track.starts.tolist(), track.seconds, track.warnings, track.abstention) == ([0], 3.0, (), None)


def test_a_model_that_abstains_leaves_the_others_their_answer(tmp_path):
    """One loud tenth of a second in four: silent as a whole, not in windows."""
    samples = np.zeros(4 * RATE)
    samples[RATE : RATE + 1600] = 0.1 * np.random.default_rng(0).standard_normal(1600)
    soundfile.write(tmp_path / "a.wav", samples, RATE)
    models = [model_of("short", "window=0.25", "hop=0.25"), model_of("clip", "window=clip")]
    (heard,) = listen([Excerpt(tmp_path / "a.wav")], models)
    assert (heard.tracks["short"].abstention, heard.tracks["clip"].abstention) == (None, "silent")
    assert heard.tracks["short"].starts.tolist() == [1.0]
    assert heard.warnings_in("short") == ("silent: 94% of windows left out",)


def test_memory_does_not_grow_with_the_file(model, tmp_path):
    rng = np.random.default_rng(0)
    peaks = []
    for minutes in (1, 10):
        with soundfile.SoundFile(tmp_path / "long.wav", "w", RATE, 1) as file:
            for _ in range(minutes):
                file.write(0.1 * rng.standard_normal(60 * RATE))
        tracemalloc.start()
        (heard,) = listen([Excerpt(tmp_path / "long.wav")], [model])
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert len(heard.tracks["space"].embeddings) == 240 * minutes
    assert peaks[1] < peaks[0] + 4 * 2**20  # the samples alone are 38 MB; the embeddings themselves 1 MB


def test_memory_does_not_grow_with_many_ears(tmp_path):
    rng, models = np.random.default_rng(0), [model_of(str(k), *settings) for k, settings in enumerate(MANY[3:])]

    class Blind:
        name = "blind"

        def __call__(self, _):
            return ()

    peaks = []
    for minutes in (2, 8):
        with soundfile.SoundFile(tmp_path / "long.wav", "w", RATE, 1) as file:
            for _ in range(minutes):
                file.write(0.1 * rng.standard_normal(60 * RATE))
        tracemalloc.start()
        (heard,) = listen([Excerpt(tmp_path / "long.wav")], models, [Blind()])
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert len(heard.tracks["2"].embeddings) == minutes
    assert peaks[1] < peaks[0] + 4 * 2**20  # the samples alone are 23 MB more
