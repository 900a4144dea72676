"""The curves of an evaluation against scikit-learn, and against the metrics that are their areas."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import det_curve, f1_score, roc_curve

from earwitness.evaluation import metrics
from earwitness.evaluation.curves import at_least, oscr_curve, reliability, sweep
from earwitness.evaluation.scoring import STRANGER

SCORES = st.lists(st.integers(-4, 4), min_size=1, max_size=20)


@pytest.fixture
def scored():
    """Known scores, whether each is right, and strangers' scores; rounded so that some are equal."""
    rng = np.random.default_rng(0)
    return rng.normal(1, 1, 60).round(1), rng.random(60) < 0.8, rng.normal(0, 1, 40).round(1)


def test_all_right_it_is_the_roc_curve_of_scikit_learn(scored):
    known, _, strangers = scored
    far, accepted = oscr_curve(np.ones(60, bool), known, strangers)
    truth, scores = np.repeat([1, 0], [60, 40]), np.concatenate([known, strangers])
    fpr, tpr, _ = roc_curve(truth, scores, drop_intermediate=False)
    assert np.allclose(far, fpr)
    assert np.allclose(accepted, tpr)
    fpr, fnr, _ = det_curve(truth, scores)  # from the first miss to the last false alarm, false alarms falling
    points = set(zip(far.round(9), (1 - accepted).round(9), strict=True))
    assert set(zip(fpr.round(9), fnr.round(9), strict=True)) <= points


@given(SCORES, SCORES, st.data())
def test_the_area_under_it_is_oscr(known, strangers, data):
    right = data.draw(st.lists(st.booleans(), min_size=len(known), max_size=len(known)))
    far, named = oscr_curve(right, known, strangers)
    assert np.trapezoid(named, far) == pytest.approx(metrics.oscr(right, known, strangers))
    assert (far[0], named[0], far[-1]) == (0, 0, 1)
    assert named[-1] == pytest.approx(np.mean(right))


@given(SCORES, st.floats(-5, 5))
def test_a_tippett_line_counts_what_is_at_least_x(scores, x):
    assert at_least(scores, [x])[0] == pytest.approx(np.mean([score >= x for score in scores]))


def test_of_no_scores_none_is_reached():
    assert at_least([], [0.0, -np.inf]).tolist() == [0, 0]


def test_reliability_adds_up_to_the_ece():
    rng = np.random.default_rng(1)
    stated = np.append(rng.random(200), [0.0, 1.0])
    right = rng.random(202) < stated**2
    found = reliability(stated, right)
    assert found.count.sum() == 202
    gaps = np.abs(found.stated - found.right) @ found.count / 202
    assert gaps == pytest.approx(metrics.ece(stated, right))
    first = stated <= 1 / 15
    assert (found.stated[0], found.right[0]) == pytest.approx((stated[first].mean(), right[first].mean()))


def test_a_sweep_is_macro_f1_at_every_threshold():
    rng = np.random.default_rng(2)
    labels, knownness = rng.integers(-1, 3, 80), rng.normal(size=80).round(2)
    first = np.where(rng.random(80) < 0.7, np.maximum(labels, 0), rng.integers(0, 3, 80))
    away, f1 = sweep(labels, first, knownness, points=21)
    assert len(away) == len(f1) == 21
    assert (away[0], away[-1]) == (0, 1)
    assert (np.diff(away) >= 0).all()
    for share, score in zip(away, f1, strict=True):
        answers = np.where(knownness >= np.append(np.sort(knownness), np.inf)[round(share * 80)], first, STRANGER)
        assert (answers == STRANGER).mean() == pytest.approx(share)
        assert score == pytest.approx(f1_score(labels, answers, average="macro", zero_division=0))
