"""False acceptance is what was promised, of all strangers and of each group, or refused with what it would take."""

import math
import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from earwitness.calibration import acceptance_threshold, calibrate, fewest_strangers, source_thresholds
from earwitness.errors import CalibrationError
from earwitness.fusion import STRANGER

DRAWS = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("simulations.py"))))
simulated, within = DRAWS.simulated, DRAWS.within


@pytest.mark.parametrize(("far", "m"), [(0.05, 19), (0.05, 50), (0.1, 29), (0.2, 200)])
def test_the_expected_false_acceptance_is_what_was_promised(far, m):
    rng = np.random.default_rng(m)
    rates = [(rng.random(400) >= acceptance_threshold(rng.random(m), far)).mean() for _ in range(4000)]
    expected = math.floor(far * (m + 1) + 1e-9) / (m + 1)
    assert np.mean(rates) == pytest.approx(expected, abs=4 * np.std(rates) / np.sqrt(len(rates)))
    assert expected <= far + 1e-12


def test_tied_strangers_only_lower_the_false_acceptance():
    rng = np.random.default_rng(0)
    draw = lambda size: rng.integers(0, 4, size).astype(float)  # noqa: E731
    rates = [(draw(200) >= acceptance_threshold(draw(39), 0.1)).mean() for _ in range(500)]
    assert np.mean(rates) <= 0.1


@pytest.mark.parametrize(("far", "m", "needed", "least"), [(0.05, 18, "19", "0.053"), (0.01, 60, "99", "0.017")])
def test_too_few_strangers_are_refused_with_what_it_would_take(far, m, needed, least):
    with pytest.raises(CalibrationError, match=rf"^{m} .*{needed} are needed.*at least {least}$"):
        acceptance_threshold(np.arange(m, dtype=float), far)
    assert math.isfinite(acceptance_threshold(np.arange(m, dtype=float), float(least)))


def test_no_stranger_no_threshold():
    with pytest.raises(CalibrationError, match="19 are needed"):
        acceptance_threshold(np.array([]), 0.05)
    with pytest.raises(CalibrationError, match="infinitely many"):
        acceptance_threshold(np.arange(1000.0), 0.0)


def test_a_rate_of_one_accepts_everyone():
    assert acceptance_threshold(np.arange(5.0), 1.0) < -1e300


@given(
    st.lists(st.integers(-1000, 1000), min_size=19, max_size=60),
    st.integers(1, 50),
    st.integers(-100, 100),
)
def test_the_threshold_moves_with_the_scores_and_is_no_constant(strangers, factor, shift):
    before = acceptance_threshold(np.array(strangers, float), 0.05)
    after = acceptance_threshold(np.array(strangers, float) * factor + shift, 0.05)
    assert after == pytest.approx(before * factor + shift)


def test_far_off_strangers_of_development_do_not_loosen_the_threshold():
    """Strangers that lie below every known clip leave the threshold at the least known clip."""
    rng = np.random.default_rng(3)
    known = rng.normal(0.0, 1.0, 60)
    values, labels = rng.normal(size=(60, 3)), rng.integers(0, 3, 60)
    near = calibrate(values, labels, known, rng.normal(-1.0, 1.0, 40), 0.05)
    far = calibrate(values, labels, known, rng.normal(-50.0, 1.0, 40), 0.05)
    assert far.threshold == known.min()
    assert near.threshold > known.min()


@pytest.mark.parametrize(("far", "needed"), [(0.05, 19), (0.1, 9), (0.01, 99), (0.3, 3), (1.0, 0), (0.0, math.inf)])
def test_the_fewest_strangers_are_just_enough(far, needed):
    assert fewest_strangers(far) == needed
    if 0 < needed < math.inf:
        acceptance_threshold(np.arange(float(needed)), far)
        with pytest.raises(CalibrationError):
            acceptance_threshold(np.arange(needed - 1.0), far)


SHARES = np.array([0.5, 0.3, 0.15, 0.04, 0.01])
SHIFTS = np.array([0.0, 2.0, -1.0, 1.0, 3.0])


def drawn(rng, count):
    """Strangers that are ranked first for five sources unequally often, each source giving knownness of its own."""
    first = rng.choice(5, size=count, p=SHARES)
    return SHIFTS[first] + rng.normal(size=count), first


@pytest.mark.parametrize(("m", "far"), [(19, 0.05), (60, 0.05), (150, 0.05), (400, 0.05), (100, 0.1)])
def test_fresh_strangers_are_accepted_no_oftener_than_promised(m, far):
    """All together, and of each source that has a threshold of its own."""
    rng = np.random.default_rng(m)
    accepted, groups = [], {k: [] for k in range(5)}
    for _ in range(1500):
        shared, own = source_thresholds(*drawn(rng, m), far)
        knownness, first = drawn(rng, 200)
        passed = knownness >= np.array([own.get(k, shared) for k in range(5)])[first]
        accepted.append(passed.mean())
        for k in own:
            groups[k].append(passed[first == k].mean() if (first == k).any() else np.nan)
    assert np.mean(accepted) <= far + 4 * np.std(accepted) / np.sqrt(len(accepted))
    for k, rates in groups.items():
        if len(rates) > 100:
            assert np.nanmean(rates) <= far + 4 * np.nanstd(rates) / np.sqrt(len(rates)), k
    assert max(map(len, groups.values())) == (1500 if m > 100 else len(groups[0]))


def test_one_calibration_with_many_strangers_keeps_its_promise_per_source():
    """What is realised lies in the binomial interval, the threshold's own spread counted in."""
    rng = np.random.default_rng(5)
    values, labels = simulated(200, classes=5)
    strangers, first = drawn(rng, 20000)
    made = calibrate(values, labels, rng.normal(9, 1, 200) - 100, strangers, 0.05, tuple("abcde"), None, first)
    knownness, ranked = drawn(rng, 4000)
    accepted = made.accepted(np.eye(5)[ranked], knownness)
    assert set(made.thresholds) == set("abcd")  # the least frequent is the rest
    assert within(accepted.sum(), 4000, 0.05)
    for k in range(5):
        assert within(accepted[ranked == k].sum(), (ranked == k).sum(), 0.05), k
    pooled = calibrate(values, labels, rng.normal(9, 1, 200) - 100, strangers, 0.05, tuple("abcde"))
    assert not within((knownness[ranked == 1] >= pooled.threshold).sum(), (ranked == 1).sum(), 0.05)


def test_a_source_with_strangers_enough_stands_alone_and_the_rest_share():
    rng = np.random.default_rng(0)
    strangers, first = rng.normal(size=70), np.repeat([0, 1, 2, 3], [25, 20, 15, 10])
    shared, own = source_thresholds(strangers, first, 0.05)
    assert own == {k: acceptance_threshold(strangers[first == k], 0.05) for k in (0, 1)}
    assert shared == acceptance_threshold(strangers[first > 1], 0.05)


def test_the_rest_is_filled_up_by_the_source_with_the_fewest():
    rng = np.random.default_rng(0)
    strangers, first = rng.normal(size=60), np.repeat([0, 1, 2], [30, 20, 10])
    shared, own = source_thresholds(strangers, first, 0.05)
    assert own == {0: acceptance_threshold(strangers[:30], 0.05)}
    assert shared == acceptance_threshold(strangers[30:], 0.05)
    for few in (np.zeros(60, int), np.full(60, STRANGER)):
        assert source_thresholds(strangers, few, 0.05) == (acceptance_threshold(strangers, 0.05), {})


def test_no_threshold_lies_under_the_least_known_clip():
    rng = np.random.default_rng(3)
    known, strangers, first = rng.normal(size=60), rng.normal(-50, 1, 80), np.repeat([0, 1], 40)
    values, labels = rng.normal(size=(60, 2)), rng.integers(0, 2, 60)
    made = calibrate(values, labels, known, strangers, 0.05, ("a", "b"), None, first)
    assert made.floor("a") == made.floor("b") == made.threshold == known.min()


def test_a_source_whose_strangers_are_of_few_systems_has_no_threshold_of_its_own():
    """Sixty strangers are ranked first for source 0, but three systems made them; as many for source 1, of ten."""
    rng = np.random.default_rng(5)
    first, strangers = np.repeat([0, 1, 2], 60), rng.normal(size=180)
    few, many = np.arange(180) % 3, 10 + np.arange(180) % 10
    makers = np.where(first == 0, few, many).astype(np.str_)
    assert set(source_thresholds(strangers, first, 0.05)[1]) == {0, 1}
    shared, own = source_thresholds(strangers, first, 0.05, makers)
    assert set(own) == {1, 2}
    assert shared == acceptance_threshold(strangers[first == 0], 0.05)
