"""Conformal p-values and sets hold on exchangeable draws: of all clips, and of each source that has enough."""

import runpy
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from earwitness.calibration import calibrate

DRAWS = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("simulations.py"))))
SOURCES, example, simulated, within = DRAWS.SOURCES, DRAWS.example, DRAWS.simulated, DRAWS.within


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


def unequal(rng, per_source):
    """Clips of four sources, one of them hard to tell: (n, 4) values and labels."""
    labels = np.repeat(np.arange(4), per_source)
    values = rng.normal(size=(len(labels), 4))
    values[np.arange(len(labels)), labels] += np.array([4.0, 4.0, 1.0, 4.0])[labels]
    return values, labels


def test_each_source_with_clips_enough_is_covered_for_itself():
    """The hard one too, which a pooled set would fail; sources with few clips are covered together."""
    rng = np.random.default_rng(0)
    held = []
    for _ in range(400):
        values, labels = unequal(rng, [40, 12, 40, 12])
        made = calibrate(values, labels, np.arange(len(labels)), np.arange(19.0), 0.05, SOURCES)
        assert set(made.own_truths) == {"a", "c"}
        assert len(made.truths) == 24
        asked, truth = unequal(rng, [5, 5, 5, 5])
        held.append(made.prediction_set(asked)[np.arange(20), truth].reshape(4, 5).mean(axis=1))
    rates = np.mean(held, axis=0)
    spread = 4 * np.std(held, axis=0) / np.sqrt(400)
    for rate, n, s in [(rates[0], 40, spread[0]), (rates[2], 40, spread[2]), (rates[[1, 3]].mean(), 24, spread[1])]:
        expected = 1 - np.floor(0.05 * (n + 1)) / (n + 1)
        assert rate == pytest.approx(expected, abs=s)
        assert rate >= 0.95 - s


def test_coverage_lies_in_its_binomial_interval():
    rng = np.random.default_rng(1)
    values, labels = unequal(rng, [4000, 4000, 4000, 4000])
    made = calibrate(values, labels, np.arange(len(labels)), np.arange(19.0), 0.05, SOURCES)
    asked, truth = unequal(rng, [1000] * 4)
    held = made.prediction_set(asked)[np.arange(4000), truth].reshape(4, 1000).sum(axis=1)
    assert all(within(count, 1000, 0.95) for count in held)
    pooled = replace(made, own_truths={}, truths=tuple(np.sort(np.concatenate([*made.own_truths.values()]))))
    alike = pooled.prediction_set(asked)[np.arange(4000), truth].reshape(4, 1000).sum(axis=1)
    assert not within(alike[2], 1000, 0.95)


def test_p_values_count_clips_as_odd_by_source():
    made = replace(example(), truths=(0.1, 0.4, 0.7), own_truths={"b": (0.2, 0.3)}, temperature=1.0)
    values = np.log([[0.42, 0.31, 0.18, 0.09], [0.05, 0.12, 0.08, 0.75]])
    expected = [[3 / 4, 1.0, 2 / 4, 1 / 4], [1 / 4, 1 / 3, 1 / 4, 1.0]]
    np.testing.assert_allclose(made.p_values(values), expected)
    np.testing.assert_allclose(made.p_values(values[1]), expected[1])


def test_what_is_left_is_named_and_told_unless_it_is_one_set_of_siblings():
    made = replace(example(), own_truths={}, truths=tuple(np.linspace(0.2, 1, 39)), temperature=1.0)
    assert made.candidates(np.log([0.5, 0.45, 0.04, 0.01])) == ("a", "b")
    assert made.candidates(np.log([0.96, 0.02, 0.01, 0.01])) == ("a",)
    few = replace(made, truths=made.truths[:18])
    assert few.prediction_set(np.log([0.96, 0.02, 0.01, 0.01])).all()
    assert few.candidates(np.log([0.96, 0.02, 0.01, 0.01])) == ()
    assert made.doubts(("a", "b")) == ("several sources can't be told apart here: a, b",)
    assert made.doubts(("a",)) == made.doubts(()) == ()
    kin = replace(made, siblings=(("a", "b"), ("c", "d")))
    assert kin.doubts(("a", "b")) == ()
    assert kin.doubts(("a", "b", "c")) == ("several sources can't be told apart here: a, b, c",)
