"""Sources that nobody can tell apart: the area under the curve by scikit-learn, and sets on made values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from earwitness.siblings import SEPARABLE, find_siblings, separation

SOURCES = ("a", "b", "c", "d", "e")
scores = st.lists(st.integers(-3, 3).map(float), min_size=1, max_size=20).map(np.array)


def made(alike=(), clips=40, gap=4.0, seed=0):
    """Values (n, 5) and labels (n,): the true source is `gap` over chance, and a source that is alike shares it."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(5), clips)
    values = rng.standard_normal((len(labels), 5))
    values[np.arange(len(labels)), labels] += gap
    for one, other in alike:
        for here, there in ((one, other), (other, one)):
            values[labels == here, there] = values[labels == here, here] + 0.1 * rng.standard_normal(clips)
    return values, labels


@given(scores, scores)
def test_separation_is_the_area_under_the_roc_curve(ours, theirs):
    truth = np.repeat([1, 0], [len(ours), len(theirs)])
    assert separation(ours, theirs) == pytest.approx(roc_auc_score(truth, np.concatenate([ours, theirs])))


def test_sources_that_are_told_apart_have_no_siblings():
    assert find_siblings(*made(), SOURCES) == ()


def test_sources_alike_are_a_set_and_the_rest_are_left_out():
    assert find_siblings(*made([(3, 1)]), SOURCES) == (("b", "d"),)
    assert find_siblings(*made([(0, 4), (2, 1)]), SOURCES) == (("a", "e"), ("b", "c"))


def test_siblings_of_siblings_are_siblings():
    """The middle source is like both ends, which are told apart by a hair's breadth of values."""
    values, labels = made([(0, 1), (1, 2)])
    ends = np.isin(labels, [0, 2])
    difference = (values[:, 0] - values[:, 2])[ends]
    assert roc_auc_score(labels[ends] == 0, difference) > SEPARABLE
    assert find_siblings(values, labels, SOURCES) == (("a", "b", "c"),)


def test_two_sets_that_meet_are_one():
    """Pairs are looked at in order, so that two sets exist before the pair that joins them is seen."""
    assert find_siblings(*made([(0, 3), (1, 4), (3, 4)]), SOURCES) == (("a", "b", "d", "e"),)


def test_sources_that_are_always_taken_for_one_another_are_alike():
    values, labels = made()
    values[:, [0, 1]] = values[:, [1, 0]]
    assert find_siblings(values, labels, SOURCES) == (("a", "b"),)


def test_a_source_without_clips_is_nobodys_sibling():
    values, labels = made([(0, 1)])
    kept = labels != 1
    assert find_siblings(values[kept], labels[kept], SOURCES) == ()


@pytest.mark.parametrize("gap", np.linspace(0, 2, 5))
def test_the_limit_is_an_area_under_the_curve(gap):
    values, labels = made(clips=500, gap=gap)
    pair = labels < 2
    area = roc_auc_score(labels[pair] == 0, (values[:, 0] - values[:, 1])[pair])
    assert (("a", "b") in find_siblings(values[pair], labels[pair], SOURCES)) == (area < SEPARABLE)


@given(st.permutations(range(5)))
def test_the_order_of_sources_changes_no_set(order):
    values, labels = made([(0, 1), (1, 2)])
    place = np.argsort(order)
    names = [SOURCES[k] for k in order]
    assert find_siblings(values[:, order], place[labels], names) == (("a", "b", "c"),)
