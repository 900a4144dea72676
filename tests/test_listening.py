"""Files to embeddings: whatever shares a batch, each file gets its own rows, and a bad one only its error."""

import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest
import soundfile

from earwitness import listening
from earwitness.audio import read_clip
from earwitness.errors import AudioError
from earwitness.listening import Excerpt, listen
from earwitness.model import Model
from earwitness.network import BATCH
from earwitness.pipeline import load_pipeline
from earwitness.plugins import load_catalogue

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


@pytest.mark.parametrize("count", [1, 7, 8, 12])
def test_each_file_gets_its_own_rows_whatever_shares_a_batch(noises, model, batches, count):
    excerpts = noises(count)
    for k, (excerpt, heard) in enumerate(zip(excerpts, listen(excerpts, model), strict=True)):
        assert (heard.excerpt, heard.error, heard.abstention) == (excerpt, None, None)
        np.testing.assert_allclose(heard.starts, 0.25 * np.arange(k + 1))
        np.testing.assert_allclose(heard.embeddings, alone(excerpt, model), atol=1e-5)
    assert sum(batches) == count * (count + 1) // 2  # the unfilled last batch brings no rows of its own
    assert max(batches) < 2 * BATCH


def test_together_is_one_by_one(noises, model):
    excerpts = noises(9)
    together = list(listen(excerpts, model))
    for excerpt, heard in zip(excerpts, together, strict=True):
        (single,) = listen([excerpt], model)
        np.testing.assert_array_equal(heard.starts, single.starts)
        np.testing.assert_allclose(heard.embeddings, single.embeddings, atol=1e-6)
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

        def blocks(self) -> Iterator[np.ndarray]:
            block = next(iter(self.stream.blocks()))
            yield from np.split(np.tile(block, 40), 40)
            raise AudioError("torn midway")

    def open_audio(path, *args, **kwargs):
        stream = opened(path, *args, **kwargs)
        return Torn(stream) if path == bad.path else stream

    expected = [heard.embeddings for heard in listen(excerpts, model)]
    batches.clear()
    monkeypatch.setattr(listening, "open_audio", open_audio)
    found = list(listen(excerpts, model))
    assert sum(batches) > sum(len(rows) for rows in expected)  # rows of the torn file had been embedded
    for k, heard in enumerate(found):
        if heard.excerpt == bad:
            assert str(heard.error) == "torn midway"
            assert heard.embeddings.size == heard.starts.size == 0
        else:
            np.testing.assert_allclose(heard.embeddings, expected[k], atol=1e-6)


def test_bad_files_keep_their_place_among_good_ones(noises, model, tmp_path):
    good = noises(3)
    soundfile.write(tmp_path / "short.wav", np.ones(100), RATE)
    (tmp_path / "empty.wav").touch()
    asked = [good[0], Excerpt(tmp_path / "gone.wav"), good[1], Excerpt(tmp_path / "empty.wav"), good[2]]
    asked.append(Excerpt(tmp_path / "short.wav"))
    found = list(listen(asked, model))
    assert [heard.excerpt for heard in found] == asked
    assert [len(heard.embeddings) for heard in found] == [1, 0, 2, 0, 3, 0]
    assert [bool(heard.error) for heard in found] == [False, True, False, True, False, False]
    assert "too short" in found[-1].abstention


def test_an_excerpt_is_its_stretch_alone(noises, model, tmp_path):
    whole = noises(8)[7]
    samples, _ = soundfile.read(whole.path, dtype="float32")
    soundfile.write(tmp_path / "cut.wav", samples[RATE // 2 : RATE], RATE, subtype="FLOAT")
    stretch, cut = listen([Excerpt(whole.path, 0.5, 1.0), Excerpt(tmp_path / "cut.wav")], model)
    np.testing.assert_allclose(stretch.embeddings, cut.embeddings, atol=1e-6)
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


def test_memory_does_not_grow_with_the_file(model, tmp_path):
    rng = np.random.default_rng(0)
    peaks = []
    for minutes in (1, 10):
        with soundfile.SoundFile(tmp_path / "long.wav", "w", RATE, 1) as file:
            for _ in range(minutes):
                file.write(0.1 * rng.standard_normal(60 * RATE))
        tracemalloc.start()
        (heard,) = listen([Excerpt(tmp_path / "long.wav")], model)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert len(heard.embeddings) == 240 * minutes
    assert peaks[1] < peaks[0] + 4 * 2**20  # the samples alone are 38 MB; the embeddings themselves 1 MB
