"""`cyclic_lines`: what a lattice does to the vector, what chance does, and that nothing breaks it."""

import runpy
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from earwitness_cyclic import CyclicLines
from earwitness_cyclic._lattices import AAC, CLOCKED, CONFUSABLE, HALVED, MP3, OPUS, UPSAMPLING

SOUNDS = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("cyclic_sounds.py"))))
RATES = (8000, 16000, 22050, 24000, 44100, 48000)
DIMS = CyclicLines()(SOUNDS.noise(16000, 1.0, 0)[None], 16000).shape[2]


def row(samples, rate):
    (vector,) = CyclicLines()(samples[None], rate)[:, 0]
    return vector


def own_lines(vector, lattice):
    """The lines one by one, of the first order, that a lattice has in the vector."""
    at = 0
    for each in UPSAMPLING:
        singles = len(each.frequencies(8000.0)), len(each.frequencies(2000.0))
        first = sum(1 for d in each.stages for high in (0, 1) if has_line(each, d, high))
        second = 2 * sum(1 for d in each.stages if d * each.spacing <= 2000)
        at += first + second + 4
        if each == lattice:
            return vector[at : at + singles[0]]
        at += sum(singles) if each.seen else 0
    raise AssertionError


def has_line(lattice, stage, high):
    multiples = lattice.spacing * stage * np.arange(1, 700)
    return bool(((multiples > 8000) & (multiples <= 24000)).any() if high else (multiples <= 8000).any())


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("seconds", [0.05, 0.25, 1.0])
def test_dims_are_the_same_for_all_rates_and_lengths(rate, seconds):
    vectors = CyclicLines()(np.stack([SOUNDS.noise(rate, seconds, seed) for seed in (0, 1)]), rate)
    assert vectors.shape == (2, 1, DIMS)
    assert vectors.dtype == np.float32
    assert DIMS < 2500


def test_each_window_stands_alone():
    sounds = np.stack([SOUNDS.noise(16000, 1.0, 2), SOUNDS.decoder(16000, (8, 5, 5), 1.0, 2)])
    together = CyclicLines()(sounds, 16000)
    np.testing.assert_array_equal(together[1:], CyclicLines()(sounds[1:], 16000))


@pytest.mark.parametrize("kind", ["silence", "one sample", "constant", "tone", "clipped", "click", "full scale square"])
@pytest.mark.parametrize("rate", [16000, 44100])
def test_it_is_finite_for_what_is_no_speech(kind, rate):
    time = np.arange(rate) / rate
    sound = {
        "silence": np.zeros(rate),
        "one sample": np.ones(1),
        "constant": np.full(rate, 0.3),
        "tone": np.sin(2 * np.pi * 440 * time),
        "clipped": np.clip(30 * SOUNDS.noise(rate, 1.0, 3), -1, 1),
        "click": (np.arange(rate) == 1234).astype(float),
        "full scale square": np.sign(np.sin(2 * np.pi * 80 * time)),
    }[kind]
    assert np.isfinite(row(sound.astype(np.float32), rate)).all()


@settings(max_examples=40, deadline=None)
@given(
    samples=st.integers(1, 6000).flatmap(
        lambda n: arrays.arrays(np.float32, n, elements=st.floats(-1, 1, width=32), fill=st.just(np.float32(0)))
    ),
    rate=st.sampled_from(RATES),
)
def test_it_is_finite_for_anything(samples, rate):
    vector = row(samples, rate)
    assert vector.shape == (DIMS,)
    assert np.isfinite(vector).all()


@pytest.mark.parametrize(("rate", "seconds"), [(16000, 2.0), (16000, 30.0), (44100, 4.0)])
def test_by_chance_the_mean_is_nought_at_any_rate_and_length(rate, seconds):
    vectors = CyclicLines()(np.stack([SOUNDS.noise(rate, seconds, seed) for seed in range(4)]), rate)
    assert abs(vectors.mean()) < 0.03


def test_lines_beyond_the_clip_are_what_chance_expects():
    lines = own_lines(row(SOUNDS.noise(8000, 2.0, 5), 8000), UPSAMPLING[0])
    assert (lines[:46] != 0).all()
    assert (lines[46:] == 0).all()


@pytest.mark.parametrize(("lattice", "made"), [(0, "HIFI_GAN"), (1, "KOKORO"), (2, "UNIVNET")])
def test_a_lattice_lights_its_own_lines_and_no_others(lattice, made):
    rate, factors = getattr(SOUNDS, made)
    vector = row(SOUNDS.decoder(rate, factors, 4.0, 6), rate)
    lit = [np.median(own_lines(vector, UPSAMPLING[index])) for index in range(3)]
    assert np.argmax(lit) == lattice
    assert lit[lattice] > 0.3
    assert max(lit[:lattice] + lit[lattice + 1 :]) < 0.15


def test_lines_grow_with_length_by_its_logarithm_at_most():
    rate, factors = SOUNDS.KOKORO
    sound = SOUNDS.decoder(rate, factors, 32.0, 7)
    means = [own_lines(row(sound[: seconds * rate], rate), UPSAMPLING[1]).mean() for seconds in (4, 8, 16, 32)]
    assert all(0 < later - sooner < np.log(2) + 0.1 for sooner, later in pairwise(means))


def test_a_voice_or_level_moves_the_vector_less_than_a_lattice():
    rate, factors = SOUNDS.KOKORO
    plain = [row(SOUNDS.speech(rate, 3.0, seed), rate) for seed in range(4)]
    spoken = [row(SOUNDS.speech(rate, 3.0, seed) + SOUNDS.decoder(rate, factors, 3.0, 1), rate) for seed in range(4)]
    within = np.linalg.norm(np.std(plain, axis=0))
    assert np.linalg.norm(np.mean(spoken, axis=0) - np.mean(plain, axis=0)) > within
    quiet = row(0.01 * SOUNDS.speech(rate, 3.0, 0), rate)
    np.testing.assert_allclose(quiet, plain[0], atol=0.02)


def test_the_table_is_right():
    spacings = {lattice.spacing: lattice for lattice in (*UPSAMPLING, *CLOCKED, HALVED)}
    assert len(spacings) == len(UPSAMPLING) + 3
    for lattice in (*UPSAMPLING, *CLOCKED, HALVED, *AAC, *MP3, OPUS):
        assert all(rate / hop == lattice.spacing for rate, hop in lattice.pairs)
    assert spacings[80.0].reading == "24 kHz, hop 300 (or 16 kHz, hop 200; 48 kHz, hop 600)"
    assert MP3[0].reading == "MP3 at 44.1 kHz, frames of 576"
    assert 18 * MP3[0].spacing == pytest.approx(44100 / 32)
    assert spacings[86.1328125].stages == (1, 2, 4, 8, 16, 32, 64)
    for rate in (16000, 22050, 24000, 32000, 44100, 48000):  # every edge of MP3's subbands is hidden
        assert any((rate / 64 / spacing) % 1 == 0 for spacing in CONFUSABLE)
