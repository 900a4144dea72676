"""Probabilities mean what they say, and a calibration is kept as it was made."""

import json
import runpy
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import optimize, special

from earwitness.calibration import Calibration, calibrate, calibrate_pairs, fit_temperature
from earwitness.errors import CalibrationError, ManifestError
from earwitness.evaluation.metrics import ece
from earwitness.evaluation.protocol import check_pools
from earwitness.fusion import STRANGER, Opinions, fit_fusion

DRAWS = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("simulations.py"))))
example, simulated = DRAWS.example, DRAWS.simulated


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
    fusion = fit_fusion(opinions, np.where(np.arange(60) < 20, -1, labels), ("one", "two"))
    alone = calibrate(values, labels, rng.normal(size=60), rng.normal(size=19), 0.05, tuple("abcd"))
    made = replace(
        alone, fusion=fusion, experts=("one", "two"), siblings=(("a", "c"), ("b", "d")), stranger_sources=("x",)
    )
    kept = Calibration.from_dict(json.loads(json.dumps(made.to_dict(), allow_nan=False)))
    assert kept == made
    np.testing.assert_array_equal(kept.fusion.shares(opinions), fusion.shares(opinions))
    assert (made.experts, alone.experts) == (("one", "two"), ())


def test_all_that_a_calibration_may_hold_survives_json():
    rng = np.random.default_rng(1)
    values, labels = simulated(200)
    strangers, first = rng.normal(size=90), np.repeat([0, 1, 2], 30)
    made = calibrate(values, labels, rng.normal(size=200), strangers, 0.05, tuple("abcd"), None, first)
    made = replace(made, naming={"b": 1.5}, pseudo_strangers=True)
    assert set(made.thresholds) == {"a", "b"}  # the third group and the strangers of 'd', none, share one
    assert set(made.own_truths) == set("abcd")
    assert Calibration.from_dict(json.loads(json.dumps(made.to_dict(), allow_nan=False))) == made


def test_what_an_older_version_stored_is_read():
    made = replace(example(), own_truths={})
    data = made.to_dict()
    for later in ("fusion", "siblings", "thresholds", "naming", "own_truths", "pseudo_strangers"):
        del data[later]
    old = Calibration.from_dict(json.loads(json.dumps(data)))
    assert old == made
    assert [old.floor(source) for source in "abcd"] == [old.name_floor(source) for source in "abcd"]
    assert (old.floor("a"), old.doubts(())) == (made.threshold, ())


def test_sources_go_by_number_where_they_have_no_name():
    values, labels = simulated(60)
    made = calibrate(values, labels, np.arange(60.0), np.arange(19.0), 0.05)
    assert made.sources == ("0", "1", "2", "3")
    np.testing.assert_array_equal(made.answers(values, np.full(60, 99.0)), values.argmax(axis=1))
    np.testing.assert_array_equal(made.answers(values, np.full(60, -99.0)), np.full(60, STRANGER))


def test_no_known_clip_no_calibration():
    with pytest.raises(CalibrationError, match="no development clip"):
        calibrate(np.empty((0, 3)), [], [], np.arange(100), 0.05)


def test_siblings_are_those_of_the_same_set():
    made = replace(example(), siblings=(("a", "c"), ("b", "d")))
    assert [made.siblings_of(source) for source in "abcde"] == [("a", "c"), ("b", "d")] * 2 + [()]


def test_strangers_of_the_threshold_may_not_stand_in_the_test():
    check_pools(["a", "b"], ["c"], {"a": "x", "c": "y"})
    with pytest.raises(ManifestError, match="stand in the test: b;"):
        check_pools(["a", "b"], ["b", "c"])
    with pytest.raises(ManifestError, match="family x"):
        check_pools(["a", "b"], ["c"], {"a": "x", "c": "x"})
