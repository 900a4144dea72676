"""The second of a change: windows are literal averages of moments of two kinds, and their cut is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from earwitness.change_point import _log_likelihood, change_point
from earwitness.listening import Track

STEP = 0.01
LENGTH, WINDOW, HOP = 9.0, 2.0, 0.5
DIMS = 24


def heard(at, weight=1.0, noise=0.3, seed=0, window=WINDOW, hop=HOP, length=LENGTH):
    """What windows hear of a clip whose moments are of one kind until `at` and of another, heavier one after."""
    rng = np.random.default_rng(seed)
    one, two = rng.standard_normal((2, DIMS))
    moments = np.arange(0, length, STEP)
    starts = np.arange(0, length - window + 1e-9, hop)
    heavy = np.where(moments < at, 1.0, weight)
    rows = []
    for start in starts:
        inside = (moments >= start - 1e-9) & (moments < start + window - 1e-9)
        kinds = np.where(moments[inside, None] < at, one, two)
        rows.append(np.average(kinds, axis=0, weights=heavy[inside]) + noise * rng.standard_normal(DIMS))
    return Track(starts.astype(np.float32), np.array(rows, np.float32), window)


def places(about, half=WINDOW / 2, count=41):
    return np.linspace(about - half, about + half, count)


@pytest.mark.parametrize("at", [3.0, 4.13, 5.26, 6.0])
@pytest.mark.parametrize("weight", [0.25, 1.0, 4.0])
@pytest.mark.parametrize("off", [-0.6, 0.3])
def test_a_change_is_found_finer_than_windows_lie_whichever_side_is_the_heavier(at, weight, off):
    assert change_point([heard(at, weight, 0.1)], places(at + off)) == pytest.approx(at, abs=0.15)


def test_the_likelihood_is_that_of_least_squares_over_all_weights():
    track, seconds = heard(4.4, 2.0, length=14.0), places(4.5, count=7)
    middles = track.starts + WINDOW / 2
    near = np.abs(middles - 4.5) <= 2.5 * WINDOW
    assert 3 < near.sum() < len(near)
    starts, rows = track.starts[near].astype(float), track.embeddings[near].astype(float)
    scatter = np.square(rows - rows.mean(axis=0)).sum()
    worth = DIMS * (len(starts) - 2) * HOP / WINDOW
    expected = []
    for second in seconds:
        shares = np.clip((starts + WINDOW - second) / WINDOW, 0, 1)
        likelihood = 0.0
        for g in (0.25, 0.5, 1.0, 2.0, 4.0):
            w = g * shares / (g * shares + 1 - shares)
            design = np.stack([1 - w, w], axis=1)
            left = rows - design @ np.linalg.lstsq(design, rows, rcond=None)[0]
            likelihood += (np.square(left).sum() / scatter) ** (-worth / 2)
        expected.append(np.log(likelihood))
    np.testing.assert_allclose(_log_likelihood(track, seconds), expected, rtol=1e-6)


@settings(max_examples=30, deadline=None)
@given(at=st.floats(3, 6), off=st.floats(-0.9, 0.9), seed=st.integers(0, 100), shift=st.integers(0, 2000))
def test_neither_the_hour_nor_the_direction_of_time_counts(at, off, seed, shift):
    track, asked = heard(at, 2.0, 1.0, seed), places(round(at + off, 1) + 0.03)  # no window at the edge of its reach
    found = change_point([track], asked)
    later = Track(track.starts + np.float32(shift), track.embeddings, WINDOW)
    assert change_point([later], asked + shift) == pytest.approx(found + shift, abs=1e-6)
    backwards = Track((LENGTH - WINDOW - track.starts)[::-1], track.embeddings[::-1], WINDOW)
    assert change_point([backwards], (LENGTH - asked)[::-1]) == pytest.approx(LENGTH - found, abs=1e-6)


@pytest.mark.parametrize("count", [1, 2])
def test_windows_too_few_to_tell_leave_a_change_in_the_middle(count):
    track = heard(1.6, noise=0.0)
    few = Track(track.starts[:count], track.embeddings[:count], WINDOW)
    assert change_point([few], places(1.25)) == pytest.approx(1.25)


def test_windows_that_are_all_alike_leave_it_there_too():
    track = heard(4.0)
    alike = Track(track.starts, np.ones_like(track.embeddings), WINDOW)
    assert change_point([alike], places(4.25)) == pytest.approx(4.25)


def test_a_change_far_off_counts_for_nothing():
    far, near = heard(20.0, noise=0.0, length=30.0), heard(5.0, noise=0.0, length=30.0)
    both = Track(far.starts, far.embeddings + near.embeddings, WINDOW)
    assert change_point([both], places(5.3)) == pytest.approx(change_point([near], places(5.3)), abs=1e-6)


def test_several_tracks_tell_more_than_one():
    changes = 3 + 3 * np.random.default_rng(0).random(40)
    fine = [heard(at, noise=3.0, seed=n) for n, at in enumerate(changes)]
    coarse = [heard(at, noise=3.0, seed=n + 100, window=3.0, hop=1.0) for n, at in enumerate(changes)]
    pairs = list(zip(changes, fine, coarse, strict=True))
    alone = [abs(change_point([one], places(at + 0.7)) - at) for at, one, _ in pairs]
    together = [abs(change_point([one, two], places(at + 0.7)) - at) for at, one, two in pairs]
    assert np.mean(together) < np.mean(alone)
