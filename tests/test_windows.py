"""Windows: the same whatever the blocks, levelled, and honest about what can't be judged."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from earwitness.windows import LONGEST, Cutter, cut

RATE = 1000


def noise(seconds: float, level: float = 0.1, seed: int = 0) -> np.ndarray:
    return (level * np.random.default_rng(seed).standard_normal(round(seconds * RATE))).astype(np.float32)


def windows(samples, window=1.0, hop=0.5, sizes=(10**9,), batch=32):
    """Windows, starts, and the survey."""
    edges, cutter = np.cumsum(sizes), Cutter(RATE, window, hop, batch)
    found = [w for block in np.split(samples, edges[edges < len(samples)]) for w in cutter.hear(block)]
    found += cutter.finish()
    assert all(0 < len(w.samples) == len(w.starts) <= batch for w in found)
    if not found:
        return np.empty((0, 1)), np.empty(0), cutter.survey
    return np.concatenate([w.samples for w in found]), np.concatenate([w.starts for w in found]), cutter.survey


def naive(samples, size, step):
    starts = list(range(0, len(samples) - size + 1, step))
    if len(samples) - starts[-1] - size > step / 4:
        starts.append(len(samples) - size)
    rows = np.stack([samples[s : s + size] for s in starts]).astype(np.float64)
    rows -= rows.mean(axis=1, keepdims=True)
    return rows / np.sqrt((rows**2).mean(axis=1, keepdims=True)), np.array(starts) / RATE


@pytest.mark.parametrize("seconds", [1.0, 1.1, 1.13, 1.5, 3.27, 7.0])
@pytest.mark.parametrize("hop", [0.25, 0.5, 1.0, 1.3])
def test_windows_are_those_of_the_formula(seconds, hop):
    samples = noise(seconds) + np.float32(0.2)
    rows, starts, _ = windows(samples, hop=hop)
    expected, expected_starts = naive(samples, RATE, round(hop * RATE))
    np.testing.assert_allclose(starts, expected_starts, atol=1e-6)
    np.testing.assert_allclose(rows, expected, atol=2e-5)
    assert rows.dtype == starts.dtype == np.float32


@settings(max_examples=60, deadline=None)
@given(
    length=st.integers(250, 4000),
    sizes=st.lists(st.integers(1, 700), min_size=1, max_size=30),
    hop=st.floats(0.1, 1.5),
    batch=st.integers(1, 5),
)
def test_blocks_change_nothing(length, sizes, hop, batch):
    samples = noise(length / RATE)
    *whole, one = windows(samples, hop=hop)
    *pieces, many = windows(samples, hop=hop, sizes=sizes, batch=batch)
    np.testing.assert_array_equal(whole[0], pieces[0])
    np.testing.assert_array_equal(whole[1], pieces[1])
    assert one == many


def test_pulling_gives_what_pushing_does():
    samples = noise(20)
    rows, starts, _ = windows(samples)
    pulled = list(cut(np.split(samples, 8), RATE, 1.0, 0.5))
    np.testing.assert_array_equal(np.concatenate([w.samples for w in pulled]), rows)
    np.testing.assert_array_equal(np.concatenate([w.starts for w in pulled]), starts)
    assert [len(w.samples) for w in pulled] == [32, 7]


def test_a_short_clip_is_repeated_to_fill_one_window():
    samples = noise(0.4)
    rows, starts, survey = windows(samples)
    np.testing.assert_allclose(rows[0], naive(np.concatenate([samples] * 3)[:RATE], RATE, RATE)[0][0], atol=1e-5)
    assert starts.tolist() == [0]
    assert survey.warnings == ("shorter than one window of 1 s: repeated to fill it",)
    assert survey.abstention is None


@pytest.mark.parametrize("window", [1.0, "clip"])
@pytest.mark.parametrize("seconds", [0, 0.01, 0.249])
def test_what_is_too_short_gives_no_window_and_an_abstention(seconds, window):
    rows, _, survey = windows(noise(seconds), window)
    assert len(rows) == 0
    assert survey.abstention == f"too short: {seconds:.2f} s, at least 0.25 s are needed"


@pytest.mark.parametrize("offset", [0.0, 0.3])
def test_silence_is_left_out(offset):
    samples = noise(4)
    samples[:2000] = 0
    rows, starts, survey = windows(samples + np.float32(offset), hop=1.0)
    assert starts.tolist() == [2, 3]
    assert np.isfinite(rows).all()
    assert survey.silent_share == 0.5
    assert survey.warnings == ("silent: 50% of windows left out",)
    assert survey.abstention is None


def test_a_click_in_silence_is_silence():
    samples = np.zeros(RATE, np.float32)
    samples[500] = 0.9
    rows, _, survey = windows(samples)
    assert len(rows) == 0
    assert survey.abstention == "silent"


def test_clipping_is_told_and_a_square_wave_refused():
    *_, mild = windows(np.clip(noise(4, level=0.5), -1, 1))
    assert mild.clipped_share == pytest.approx(0.0455, abs=0.01)  # P(|z| > 2)
    assert mild.warnings == (f"clipped: {mild.clipped_share:.0%} of samples at full scale",)
    assert mild.abstention is None
    *_, square = windows(np.sign(noise(4)))
    assert square.abstention == "clipped to nothing: 100% of samples at full scale"
    assert square.peak == 1


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e38, -1e38, 1e-40, 1.0])
def test_no_input_gives_nan(value):
    samples = noise(3)
    samples[::3] = value
    rows, *_ = windows(samples)
    assert np.isfinite(rows).all()


@settings(max_examples=40, deadline=None)
@given(scale=st.floats(0.01, 100), offset=st.floats(-1, 1))
def test_level_and_offset_are_no_evidence(scale, offset):
    samples = noise(2)
    np.testing.assert_allclose(
        windows(samples)[0], windows((scale * samples + offset).astype(np.float32))[0], atol=5e-4 * (1 + 1 / scale)
    )


@pytest.mark.parametrize("seconds", [0.25, 0.4, 7.77, 59.9, 60.0])
def test_a_window_may_be_as_long_as_its_clip(seconds):
    samples = noise(seconds)
    rows, starts, survey = windows(samples, "clip", sizes=[777] * 80)
    expected, _ = naive(samples, len(samples), 1)
    np.testing.assert_allclose(rows, expected, atol=2e-5)
    assert starts.tolist() == [0]
    assert survey.seconds == seconds
    assert survey.warnings == ()  # nothing is repeated to fill it


@pytest.mark.parametrize(("seconds", "expected"), [(61, [0]), (75, [0]), (75.1, [0, 15.1]), (200, [0, 60, 120, 140])])
def test_a_long_clip_has_a_window_a_minute(seconds, expected):
    cutter, samples = Cutter(RATE, "clip", 2.0), noise(seconds)
    found = [w for block in np.split(samples, 10) for w in cutter.hear(block)] + list(cutter.finish())
    assert [w.samples.shape for w in found] == [(1, round(LONGEST * RATE))] * len(expected)
    np.testing.assert_allclose([w.starts[0] for w in found], expected, rtol=1e-6)
    for w, start in zip(found, expected, strict=True):
        stretch = samples[round(start * RATE) :][: round(LONGEST * RATE)]
        np.testing.assert_allclose(w.samples, naive(stretch, len(stretch), 1)[0], atol=2e-5)
    assert cutter.survey.seconds == LONGEST
