"""Likelihood ratios are those of the densities, and none goes further than the clips behind it."""

import json
import math
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats
from sklearn.isotonic import IsotonicRegression

from earwitness.calibration import (
    Calibration,
    LikelihoodRatio,
    PairCalibration,
    calibrate,
    calibrate_pairs,
    empirical_bounds,
    fit_isotonic_ratio,
    fit_likelihood_ratio,
    support,
)
from earwitness.errors import CalibrationError
from earwitness.evaluation.metrics import cllr


def test_the_likelihood_ratio_of_two_gaussians():
    rng = np.random.default_rng(0)
    ratio = fit_likelihood_ratio(rng.normal(2, 1, 6000), rng.normal(0, 1, 3000))
    for s in (-1.0, 0.5, 1.0, 3.0):  # log LR = 2 s - 2 by the densities, whatever the counts
        assert ratio.log10(s) == pytest.approx((2 * s - 2) / math.log(10), abs=0.15)


def literal_bounds(same, different, step):
    """The paper's own way, slowly: error rates at each prior odds of a grid, with one misleading LR added a side."""

    def errs(lr_same, lr_different, t):
        miss = np.mean([lr <= t for lr in lr_same])
        alarm = np.mean([lr > t for lr in lr_different])
        return miss * 1 / (1 + t) + alarm * t / (1 + t)

    def worse(t):
        with_system = errs([*(10.0**same), 0.0], [*(10.0**different), np.inf], t)
        return with_system > errs([1.0], [1.0], t) + 1e-12

    upper, lower = 0.0, 0.0
    while upper < max(same.max(), different.max()) and not worse(10 ** (upper + step)):
        upper += step
    while lower > min(same.min(), different.min()) and not worse(10 ** (lower - step)):
        lower -= step
    return lower, upper


@pytest.mark.parametrize(("n", "m", "spread"), [(60, 60, 1.0), (80, 20, 0.5), (15, 90, 2.0), (40, 40, 0.2)])
def test_the_bounds_are_those_of_the_literal_definition(n, m, spread):
    rng = np.random.default_rng(n + m)
    same, different = spread * rng.normal(1, 1, n), spread * rng.normal(-1, 1, m)
    assert empirical_bounds(same, different) == pytest.approx(literal_bounds(same, different, 0.002), abs=0.003)


@pytest.mark.parametrize(
    ("same", "different", "bounds"),
    [
        ([9, 9, 9], [-9, -9, -9], (1 / 3, 3)),
        ([9], [-9], (1, 1)),
        ([0, 1, 2], [-2, -1], (3 / 8, 3 / 2)),
        ([1, 2], [-2, -1, 0], (2 / 3, 8 / 3)),
        ([-2, -1, 0], [1, 2], (1, 1)),
    ],
)
def test_the_bounds_of_cases_done_by_hand(same, different, bounds):
    """The same cases as in the tests of the authors' program `lir`, which steps through a grid of 0.01."""
    found = empirical_bounds(np.array(same, float), np.array(different, float))
    np.testing.assert_allclose(10.0 ** np.array(found), bounds)


@given(
    st.lists(st.floats(-5, 5), min_size=1, max_size=30),
    st.lists(st.floats(-5, 5), min_size=1, max_size=30),
)
def test_swapping_the_two_sides_mirrors_the_bounds(same, different):
    low, high = empirical_bounds(np.array(same), np.array(different))
    mirrored = empirical_bounds(-np.array(different), -np.array(same))
    assert (low, high) == (-mirrored[1], -mirrored[0])
    assert low <= 0 <= high <= math.log10(len(different) + 1)


def test_likelihood_ratios_claim_no_more_than_the_counts_bear():
    calibration = calibrate(10 * np.eye(30), np.arange(30), np.arange(30) + 1e3, np.arange(19), 0.05)
    assert 1 < calibration.log10_lr(1e9) == calibration.log10_lr(1029) <= math.log10(30 / 31 * 20)
    assert -1 > calibration.log10_lr(-1e9) == calibration.log10_lr(0) >= -math.log10(19 / 20 * 31)
    assert calibration.unknown_probability(1e9) == pytest.approx(1 / (1 + 10 ** calibration.log10_lr(1029)))


@pytest.mark.parametrize("fit", [fit_likelihood_ratio, fit_isotonic_ratio])
def test_scores_without_order_or_upside_down_bear_no_likelihood_ratio(fit):
    for same, different in ((np.zeros(50), np.zeros(40)), (np.arange(50.0), np.arange(50.0) + 30), ([1.0], [1.0])):
        ratio = fit(np.array(same), np.array(different))
        assert [ratio.log10(s) for s in (-1e9, 0.0, 7.0, 40.0, 1e9)] == [0.0] * 5
        assert ratio.even is None


class Mixture:
    """Two normal laws of width 1, each half of all draws."""

    def __init__(self, *means):
        self.means = means

    def pdf(self, x):
        return np.mean([stats.norm.pdf(x, mean) for mean in self.means], axis=0)

    def rvs(self, size, random_state):
        return random_state.normal(random_state.choice(self.means, size))


def cost(log10_lr, *fresh):
    return cllr(*([log10_lr(s) for s in scores] for scores in fresh))


@pytest.mark.parametrize(
    ("known", "stranger", "gain"),
    [
        (stats.norm(2, 1), stats.norm(0, 1), -0.01),  # the line is right
        (stats.norm(2, 1), stats.norm(0, 2), 0.01),
        (stats.t(3, 2), stats.t(3, 0), 0.01),
        (Mixture(1, 4), Mixture(1, -2), 0.02),  # flat where they overlap, steep on both sides
    ],
)
def test_the_isotonic_ratio_costs_hardly_more_than_the_true_one_and_less_than_a_line(known, stranger, gain):
    rng = np.random.default_rng(0)
    fresh = [law.rvs(2000, random_state=rng) for law in (known, stranger)]
    trains = [[law.rvs(500, random_state=rng) for law in (known, stranger)] for _ in range(8)]
    found, line = (
        np.mean([cost(fit(*train).log10, *fresh) for train in trains])
        for fit in (fit_isotonic_ratio, fit_likelihood_ratio)
    )
    true = cllr(*(np.log10(known.pdf(scores) / stranger.pdf(scores)) for scores in fresh))
    assert true < found < true + 0.03
    assert found < line - gain


@pytest.mark.parametrize(("n", "m", "seed"), [(60, 60, 0), (15, 200, 1), (300, 19, 2), (1, 4, 3)])
def test_the_isotonic_knots_are_those_of_scikit_learn(n, m, seed):
    rng = np.random.default_rng(seed)
    same, different = rng.normal(1, 1, n).round(1), rng.normal(0, 1, m).round(1)
    low, high = min(*same, *different), max(*same, *different)
    scores = np.array([*same, low, high, *different, low, high])
    truth, weights = np.repeat([1, 0], [n + 2, m + 2]), np.repeat([1 / (n + 2), 1 / (m + 2)], [n + 2, m + 2])
    posterior = IsotonicRegression().fit_transform(scores, truth, sample_weight=weights).round(9)
    levels = np.unique(posterior)
    centres = [np.average(scores[posterior == p], weights=weights[posterior == p]) for p in levels]
    ratio = fit_isotonic_ratio(same, different)
    np.testing.assert_allclose(ratio.scores, centres)
    np.testing.assert_allclose(ratio.log10s, np.log10(levels / (1 - levels)), atol=1e-6)
    held = np.clip(ratio.log10s, ratio.lowest, ratio.highest)
    np.testing.assert_allclose([ratio.log10(s) for s in ratio.scores], held)


QUARTERS = st.lists(st.integers(-40, 40).map(lambda n: n / 4), min_size=1, max_size=40).map(np.array)
GRID = np.linspace(-12, 12, 97)


@given(QUARTERS, QUARTERS)
def test_isotonic_ratios_never_fall_and_stay_within_their_bounds(same, different):
    ratio = fit_isotonic_ratio(same, different)
    found = np.array([ratio.log10(s) for s in GRID])
    assert (np.diff(found) >= -1e-12).all()
    assert ratio.lowest <= found[0] <= 0 <= found[-1] <= ratio.highest
    assert -math.log10(len(same) + 1) <= ratio.lowest <= ratio.highest <= math.log10(len(different) + 1)


@given(QUARTERS, QUARTERS)
@example(
    np.array([0, 0, 0, 0, 0, 0, 1, -1]) / 4, np.array([0, 0, 0, -1, -1]) / 4
)  # two blocks of LR 1.4, but for rounding
def test_swapping_the_two_sides_mirrors_the_isotonic_ratio(same, different):
    ratio, mirrored = fit_isotonic_ratio(same, different), fit_isotonic_ratio(-different, -same)
    np.testing.assert_allclose([ratio.log10(s) for s in GRID], [-mirrored.log10(-s) for s in GRID], atol=1e-9)


def test_scores_that_do_not_overlap_stay_finite():
    ratio = fit_isotonic_ratio(np.arange(100.0) + 500, np.arange(50.0))
    assert 1 < ratio.log10(600.0) < math.log10(51)
    assert -math.log10(101) < ratio.log10(0.0) < -1


def clamped(slope, intercept, score):
    """What versions that knew only a line said, bounded by 0.01 and 100."""
    return min(max((slope * score + intercept) / math.log(10), -2.0), 2.0)


@pytest.mark.parametrize(("slope", "intercept"), [(1.5, -9.0), (1e-6, 1e-7), (0.0, 0.0)])
def test_the_line_of_an_older_version_is_read(slope, intercept):
    old = {"slope": slope, "intercept": intercept, "lowest": -2.0, "highest": 2.0}
    made = calibrate(np.eye(20), np.arange(20), np.arange(20), np.arange(19), 0.05)
    pairs = {"ratio": old, "same": 100, "different": 100, "clips": 40}
    read = Calibration.from_dict(json.loads(json.dumps(made.to_dict() | {"ratio": old, "pairs": pairs})))
    for s in (-1e9, -3.0, 0.0, 5.9, 6.1, 8.0, 1e9):
        assert read.log10_lr(s) == read.pairs.log10_lr(s) == pytest.approx(clamped(slope, intercept, s), abs=1e-9)


@pytest.mark.parametrize("fit", [fit_likelihood_ratio, fit_isotonic_ratio])
def test_a_likelihood_ratio_survives_json(fit):
    rng = np.random.default_rng(0)
    ratio = fit(rng.normal(1, 1, 80), rng.normal(0, 1, 60))
    assert LikelihoodRatio.from_dict(json.loads(json.dumps(asdict(ratio), allow_nan=False))) == ratio
    pairs = PairCalibration(ratio, 80, 60, 30)
    assert PairCalibration.from_dict(json.loads(json.dumps(asdict(pairs), allow_nan=False))) == pairs


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
