"""`lattice_profile`: distances between clips by the lattices that stand in them, those never met among them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from earwitness.model import unit
from earwitness_cyclic import CyclicLines, LatticeProfile
from earwitness_cyclic._orders import first_order, second_order
from earwitness_cyclic._spectra import spectra
from earwitness_cyclic._whitening import whiten
from earwitness_embedders import Stats

RATE = 24000


def profile(samples, rate=RATE):
    return LatticeProfile()(np.asarray(samples, np.float32)[None], rate)[0, 0]


def white(seconds=4.0, seed=0, rate=RATE):
    return np.random.default_rng(seed).standard_normal(round(seconds * rate)).astype(np.float32)


def decoded(hop, seed=0, seconds=4.0):
    """Noise with the period of a hop in its variance and its mean: a lattice of both orders."""
    time = np.arange(round(seconds * RATE))
    weights = np.random.default_rng(99).standard_normal(hop)
    return (white(seconds, seed) * (1 + 0.3 * weights[time % hop]) + 0.1 * weights[time % hop]).astype(np.float32)


def test_a_lattice_never_met_is_as_far_from_noise_as_a_known_one():
    noise, again = profile(white(seed=1)), profile(white(seed=2))
    kokoros, strange = profile(decoded(300)), profile(decoded(256))
    near = np.linalg.norm(noise - again)
    assert np.linalg.norm(kokoros - noise) > 1.25 * near
    assert np.linalg.norm(strange - noise) > 1.25 * near
    assert np.linalg.norm(strange - kokoros) > 1.25 * near


def test_the_same_lattice_over_other_noise_is_near():
    one, two, other = profile(decoded(300, 1)), profile(decoded(300, 2)), profile(decoded(256, 3))
    assert 2 * np.linalg.norm(one - two) < np.linalg.norm(one - other)


def test_the_anchor_keeps_distances_when_vectors_are_made_unit():
    """Cosines order neighbours as Euclidean distances of the profiles do."""
    clips = [profile(white(seed=k)) for k in range(4)] + [profile(decoded(hop, hop)) for hop in (300, 256, 320, 240)]
    vectors = unit(Stats()(np.stack(clips)[:, None])).astype(np.float64)
    distances = np.linalg.norm(np.stack(clips)[:, None] - np.stack(clips), axis=2)
    orders = (-(vectors @ vectors.T)).argsort(axis=1, kind="stable")
    agree = np.mean([np.array_equal(a[:3], b[:3]) for a, b in zip(orders, distances.argsort(axis=1), strict=True)])
    assert agree >= 0.75


@pytest.mark.parametrize("rate", [16000, 22050, 44100])
def test_all_rates_share_one_space_and_ignore_what_lies_above_8_khz(rate):
    assert profile(white(rate=rate), rate).shape == profile(white()).shape


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 30000), st.sampled_from([0.0, 1.0, 1e-8]), st.booleans())
def test_it_is_finite_for_junk(count, level, noisy):
    samples = np.full(count, level, np.float32) + (white(count / RATE + 1)[:count] if noisy else 0)
    assert np.isfinite(profile(samples)).all()


def test_spectra_are_those_of_the_sound_asked_for_whatever_was_asked_before():
    one, two = white(1.0, 1), white(1.0, 2)
    for samples, rate in ((one, RATE), (two, RATE), (one, 16000), (one, RATE)):
        made = spectra(samples, rate)
        np.testing.assert_array_equal(made.first.power, first_order(whiten(samples, rate), rate).power)
        np.testing.assert_array_equal(made.second.power, second_order(whiten(samples, rate), rate).power)


def test_what_was_kept_can_not_be_changed_by_who_reads_it():
    made = spectra(white(1.0, 3), RATE)
    with pytest.raises(ValueError, match="read-only"):
        made.first.power[0, 0] = 1
    assert CyclicLines()(white(1.0, 3)[None], RATE).shape == (1, 1, 1252)
