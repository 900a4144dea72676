"""Promises are kept on fresh draws, or refused with what they would take."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, special

from earwitness.calibration import (
    Calibration,
    acceptance_threshold,
    calibrate,
    calibrate_pairs,
    fit_likelihood_ratio,
    fit_temperature,
    support,
)
from earwitness.errors import CalibrationError, ManifestError
from earwitness.evaluation.metrics import cllr, ece
from earwitness.evaluation.protocol import check_pools
from earwitness.fusion import Opinions, fit_fusion


def simulated(count, temperature=1.0, classes=4, seed=0):
    """Values whose softmax(values / temperature) is the true posterior."""
    rng = np.random.default_rng(seed)
    logits = 2 * rng.normal(size=(count, classes))
    labels = np.array([rng.choice(classes, p=p) for p in special.softmax(logits, axis=1)])
    return temperature * logits, labels


def example(far=0.05, n=300, m=200, seed=0):
    rng = np.random.default_rng(seed)
    values, labels = simulated(n, 3.0, seed=seed)
    return calibrate(values, labels, rng.normal(2, 1, n), rng.normal(0, 1, m), far, tuple("abcd"))


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


def test_no_stranger_no_threshold_and_no_known_clip_no_calibration():
    with pytest.raises(CalibrationError, match="19 are needed"):
        acceptance_threshold(np.array([]), 0.05)
    with pytest.raises(CalibrationError, match="infinitely many"):
        acceptance_threshold(np.arange(1000.0), 0.0)
    with pytest.raises(CalibrationError, match="no development clip"):
        calibrate(np.empty((0, 3)), [], [], np.arange(100), 0.05)


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


@pytest.mark.parametrize("temperature", [0.2, 1.0, 7.0])
def test_the_temperature_that_made_the_data_is_found(temperature):
    values, labels = simulated(4000, temperature)
    assert fit_temperature(values, labels) == pytest.approx(temperature, rel=0.1)


def test_the_temperature_minimises_the_cross_entropy():
    values, labels = simulated(3000, 2.0, seed=3)

    def loss(inverse):
        return -special.log_softmax(values * inverse, axis=1)[np.arange(3000), labels].mean()

    best = optimize.minimize_scalar(loss, bounds=(0.01, 10), method="bounded").x
    assert 1 / fit_temperature(values, labels) == pytest.approx(best, rel=0.01)


def test_temperature_stays_finite_where_all_is_right_or_one_source_is_enrolled():
    values = 20 * np.eye(5)
    assert 0 < fit_temperature(values, np.arange(5)) < 1000
    assert fit_temperature(np.ones((5, 1)), np.zeros(5, int)) == 1.0


def test_probabilities_mean_what_they_say():
    """Not (cos + 1) / 2: overconfident values come out with a small calibration error on fresh clips."""
    calibration = example(n=2000)
    values, labels = simulated(4000, 3.0, seed=9)
    raw = special.softmax(values, axis=1)
    given_known = np.array([calibration.probabilities(v, 50.0) for v in values])
    given_known /= 1 - calibration.unknown_probability(50.0)
    assert ece(raw.max(1), raw.argmax(1) == labels) > 0.1
    assert ece(given_known.max(1), given_known.argmax(1) == labels) < 0.03


def test_unknown_probability_is_calibrated_at_even_odds():
    calibration = example(n=1000, m=1000)
    rng = np.random.default_rng(4)
    scores = np.concatenate([rng.normal(2, 1, 3000), rng.normal(0, 1, 3000)])
    stated = np.array([calibration.unknown_probability(s) for s in scores])
    assert ece(stated, np.repeat([0, 1], 3000)) < 0.03


def test_probabilities_and_the_unknown_sum_to_one():
    calibration = example()
    for s in (-5.0, 1.0, 9.0):
        total = calibration.probabilities([3.0, 1.0, 0.0, -800.0], s).sum() + calibration.unknown_probability(s)
        assert total == pytest.approx(1.0)


def test_the_likelihood_ratio_of_two_gaussians():
    rng = np.random.default_rng(0)
    ratio = fit_likelihood_ratio(rng.normal(2, 1, 6000), rng.normal(0, 1, 3000), -9, 9)
    for s in (-1.0, 0.5, 1.0, 3.0):  # log LR = 2 s - 2 by the densities, whatever the counts
        assert ratio.log10(s) == pytest.approx((2 * s - 2) / math.log(10), abs=0.15)


def test_likelihood_ratios_claim_no_more_than_the_counts_bear():
    calibration = calibrate(10 * np.eye(30), np.arange(30), np.arange(30) + 1e3, np.arange(19), 0.05)
    assert calibration.log10_lr(1e9) == pytest.approx(math.log10(20))
    assert calibration.log10_lr(-1e9) == pytest.approx(-math.log10(31))
    assert calibration.unknown_probability(1e9) == pytest.approx(1 / 21)


def test_scores_without_order_bear_no_likelihood_ratio():
    ratio = fit_likelihood_ratio(np.zeros(50), np.zeros(40), -2, 2)
    assert ratio.log10(0.0) == ratio.log10(7.0) == 0.0
    ratio = fit_likelihood_ratio(np.arange(50.0), np.arange(50.0) + 30, -2, 2)
    assert ratio.log10(100.0) == 0.0


def test_p_values_of_known_clips_are_at_least_uniform():
    rng = np.random.default_rng(0)
    calibration = example(n=99)
    assert calibration.p_value(-99.0) == pytest.approx(0.01)
    assert calibration.p_value(99.0) == 1.0
    values, labels = simulated(60)
    p = []
    for _ in range(400):
        drawn = calibrate(values, labels, rng.normal(size=60), rng.normal(size=19), 0.05)
        p += [drawn.p_value(s) for s in rng.normal(size=20)]
    for alpha in (0.05, 0.1, 0.5):
        assert np.mean(np.array(p) <= alpha) <= alpha + 0.01


def test_prediction_sets_hold_the_truth_as_often_as_promised():
    calibration = example(n=1000)
    values, labels = simulated(4000, 3.0, seed=11)
    for epsilon in (0.05, 0.2):
        sets = np.array([calibration.prediction_set(v, epsilon) for v in values])
        assert sets[np.arange(4000), labels].mean() == pytest.approx(1 - epsilon, abs=0.025)


def test_a_calibration_survives_json():
    rng = np.random.default_rng(0)
    same, different = rng.normal(0.8, 0.1, 150), rng.normal(0.3, 0.1, 400)
    pairs = calibrate_pairs(np.append(same, different), np.repeat([True, False], [150, 400]), 40)
    values, labels = simulated(50)
    for kept in (None, pairs):
        made = calibrate(values, labels, rng.normal(size=50), rng.normal(size=19), 0.05, tuple("abcd"), kept)
        assert Calibration.from_dict(json.loads(json.dumps(made.to_dict()))) == made


def test_a_calibration_of_several_experts_survives_json():
    rng = np.random.default_rng(0)
    values, labels = simulated(60)
    opinions = Opinions(np.stack([values, values], axis=1), rng.normal(size=(60, 2)), np.ones((60, 5)))
    fusion = fit_fusion(opinions, np.where(np.arange(60) < 20, -1, labels), ("one", "two"), tuple("abcd"))
    alone = calibrate(values, labels, rng.normal(size=60), rng.normal(size=19), 0.05, tuple("abcd"))
    made = replace(alone, fusion=fusion, siblings=(("a", "c"), ("b", "d")), stranger_sources=("x",))
    kept = Calibration.from_dict(json.loads(json.dumps(made.to_dict(), allow_nan=False)))
    assert kept == made
    np.testing.assert_array_equal(kept.fusion.shares(opinions), fusion.shares(opinions))
    assert (made.experts, alone.experts) == (("one", "two"), ())


def test_what_an_older_version_stored_is_read():
    made = example()
    data = made.to_dict()
    del data["fusion"], data["siblings"]
    assert Calibration.from_dict(json.loads(json.dumps(data))) == made


def test_siblings_are_those_of_the_same_set():
    made = replace(example(), siblings=(("a", "c"), ("b", "d")))
    assert [made.siblings_of(source) for source in "abcde"] == [("a", "c"), ("b", "d")] * 2 + [()]


def test_pairs_are_calibrated_and_bounded_by_their_clips():
    rng = np.random.default_rng(0)
    alike = np.repeat([True, False], [500, 2000])
    pairs = calibrate_pairs(rng.normal(np.where(alike, 0.7, 0.3), 0.15), alike, 60)
    fresh = [[pairs.log10_lr(s) for s in rng.normal(mean, 0.15, 2000)] for mean in (0.7, 0.3)]
    assert cllr(*fresh) < 0.45
    assert pairs.log10_lr(1.0) == pytest.approx(math.log10(61))
    with pytest.raises(CalibrationError, match="40 same-source and 2000"):
        calibrate_pairs(np.zeros(2040), np.repeat([True, False], [40, 2000]), 60)


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (1, "no support"),
        (1.9, "no support"),
        (2.1, "weak"),
        (11, "moderate"),
        (500, "moderately strong"),
        (2e3, "strong"),
        (2e5, "very strong"),
        (2e6, "extremely strong"),
        (1 / 1.9, "no support"),
        (1 / 5, "weak against"),
        (1 / 2e3, "strong against"),
    ],
)
def test_bands_of_support(ratio, words):
    assert support(math.log10(ratio)) == words


def test_strangers_of_the_threshold_may_not_stand_in_the_test():
    check_pools(["a", "b"], ["c"], {"a": "x", "c": "y"})
    with pytest.raises(ManifestError, match="stand in the test: b;"):
        check_pools(["a", "b"], ["b", "c"])
    with pytest.raises(ManifestError, match="family x"):
        check_pools(["a", "b"], ["c"], {"a": "x", "c": "x"})


def test_far_off_strangers_of_development_do_not_loosen_the_threshold():
    """Strangers that lie below every known clip leave the threshold at the least known clip."""
    rng = np.random.default_rng(3)
    known = rng.normal(0.0, 1.0, 60)
    values, labels = rng.normal(size=(60, 3)), rng.integers(0, 3, 60)
    near = calibrate(values, labels, known, rng.normal(-1.0, 1.0, 40), 0.05)
    far = calibrate(values, labels, known, rng.normal(-50.0, 1.0, 40), 0.05)
    assert far.threshold == known.min()
    assert near.threshold > known.min()
