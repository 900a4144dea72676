"""Development clips choose the rule of a panel, and nothing else does."""

import numpy as np
import pytest

from earwitness.evaluation.choosing import choose
from earwitness.fusion import STRANGER, Opinions

LABELS = np.array([0, 0, 1, 1, STRANGER, STRANGER])
RIGHT = np.array([[1, 0], [1, 0], [0, 1], [0, 1], [1, 0], [0, 1]], float)


def opinions(*experts):
    """Values (n, E, 2) and knownness (n, E) of experts given as (values (n, 2), knownness (n,))."""
    values, knownness = zip(*experts, strict=True)
    return Opinions(np.stack(values, axis=1), np.stack(knownness, axis=1), np.ones((len(LABELS), 1)))


APART = np.array([5, 5, 5, 5, 1, 1], float)
MIXED = np.array([5, 1, 5, 1, 3, 3], float)
SURE, WRONG = (RIGHT, APART), (1 - RIGHT, APART)
UNSURE = (RIGHT, MIXED)


@pytest.mark.parametrize(
    ("experts", "best"),
    [((SURE, UNSURE), "a"), ((UNSURE, SURE), "b"), ((WRONG, UNSURE), "b"), ((WRONG, SURE), "b"), ((SURE, SURE), "a")],
)
def test_the_rule_that_is_right_and_knows_strangers_is_chosen(experts, best):
    assert choose(opinions(*experts), LABELS, [("a", "b")]) == (best,)


def test_each_panel_chooses_for_itself():
    said = opinions(UNSURE, SURE, SURE, WRONG)
    assert choose(said, LABELS, [("a", "b"), ("c",), ("d",)]) == ("b", "c", "d")


def test_clips_that_an_expert_abstains_from_do_not_count_against_it():
    gaps = APART.copy()
    gaps[[1, 3]] = np.nan
    assert choose(opinions(UNSURE, (RIGHT, gaps)), LABELS, [("a", "b")]) == ("b",)


def test_an_expert_that_says_nothing_is_not_chosen():
    assert choose(opinions((RIGHT, np.full(6, np.nan)), WRONG), LABELS, [("a", "b")]) == ("b",)
