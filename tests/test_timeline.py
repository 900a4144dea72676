"""The parts of a clip, and what each expert says of each."""

import numpy as np
import pytest

from earwitness.listening import Track
from earwitness.timeline import Timeline
from earwitness.types import Scores

MERITS = np.array([[1.0, 0.5]])
FINE = np.array([0.0, 2.0, 4.0, 6.0])
COARSE = np.array([0.0, 3.0])


def track(starts, seconds):
    return Track(np.asarray(starts, np.float32), np.ones((len(starts), 2), np.float32), seconds)


def said(*values):
    """A value for the first of two sources, window by window; knownness ten times as much."""
    first = np.array(values, np.float32)
    return Scores(np.stack([first, -first], axis=1), 10 * first)


def line(*scores, windowed=(True, True, False)):
    tracks = [track(FINE, 4.0), track(COARSE, 6.0), track([0.0], 10.0)]
    return Timeline.of(tracks, scores, windowed, MERITS[0])


ALL = said(1, 2, 3, 4), said(10, 20), said(7)


def test_the_parts_are_the_windows_of_the_expert_that_cuts_most():
    found = line(*ALL)
    np.testing.assert_array_equal(found.starts, FINE)
    assert found.seconds == 4.0
    np.testing.assert_array_equal(found.opinions.merits, np.repeat(MERITS, 4, axis=0))


def test_an_expert_says_of_a_part_what_it_says_of_its_window_nearest_by_their_middles():
    found = line(*ALL).opinions
    np.testing.assert_array_equal(found.values[:, :, 0], [[1, 10, 7], [2, 10, 7], [3, 20, 7], [4, 20, 7]])
    np.testing.assert_array_equal(found.values[:, :, 1], -found.values[:, :, 0])
    np.testing.assert_array_equal(found.knownness, 10 * found.values[:, :, 0])


def test_an_expert_that_abstains_says_nothing_of_any_part():
    found = line(None, said(10, 20), said(7)).opinions
    assert len(found.values) == 2
    assert np.isnan(found.values[:, 0]).all()
    assert np.isnan(found.knownness[:, 0]).all()
    np.testing.assert_array_equal(found.values[:, 1, 0], [10, 20])


def test_who_hears_the_whole_has_no_say_in_telling_parts_apart():
    found = line(*ALL)
    assert np.isnan(found.apart.values[:, 2]).all()
    assert np.isnan(found.apart.knownness[:, 2]).all()
    np.testing.assert_array_equal(found.apart.values[:, :2], found.opinions.values[:, :2])


@pytest.mark.parametrize(("at", "first", "last"), [(1, 2.0, 5.0), (2, 3.0, 7.0), (3, 5.0, 8.0)])
def test_a_change_lies_within_half_a_part_of_the_middle_and_within_the_clip(at, first, last):
    """All these tracks hear is alike, so that they leave a change in the middle of where it may be."""
    assert line(*ALL).change(at) == pytest.approx((first + last) / 2)


def test_where_a_change_lies_is_for_those_to_say_who_hear_parts_and_dont_abstain():
    assert [len(each.starts) for each in line(*ALL).tracks] == [4, 2]
    assert [len(each.starts) for each in line(None, *ALL[1:]).tracks] == [2]


@pytest.mark.parametrize("at", [3, 4, 5])
def test_a_change_is_put_where_the_tracks_hear_it(at):
    """Windows of 4 s, every second: from 6 s on everything is another."""
    starts = np.arange(10.0)
    after = np.clip((starts - 2) / 4, 0, 1)
    sounds = np.repeat(np.stack([1 - after, after], axis=1), 32, axis=1).astype(np.float32)
    tracks = [Track(starts.astype(np.float32), sounds, 4.0), track(COARSE, 6.0), track([0.0], 10.0)]
    found = Timeline.of(tracks, (said(*range(10)), said(10, 20), said(7)), (True, True, False), MERITS[0])
    assert found.change(at) == pytest.approx(6.0, abs=0.1)
