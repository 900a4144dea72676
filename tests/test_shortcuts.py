"""Baselines that hear no fingerprint: who votes, and when a result is too near to one."""

import re

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from earwitness.evaluation.shortcuts import _vote, shortcut_warning


@pytest.mark.parametrize(
    ("accuracy", "best", "told"),
    [
        (0.95, 0.7, False),
        (0.95, 0.77, True),
        (0.3, 0.15, False),
        (0.3, 0.21, True),
        (0.5, 1.0, True),
        (None, 1.0, False),
    ],
)
def test_a_result_that_a_shortcut_nearly_reaches_is_told(accuracy, best, told):
    """Within 10 points of it, or from 80 % of it on."""
    warning = shortcut_warning(accuracy, {"prior": 0.05, "silence": best, "level": 0.1})
    assert (warning is not None) == told
    assert warning is None or re.search(rf"{accuracy:.2f} is nearly reached .*\(silence alone {best:.2f}\)", warning)
    assert shortcut_warning(accuracy, {}) is None


def test_neighbours_equally_far_all_have_a_vote():
    """One measure with one value: the most frequent source wins, wherever it stands in the manifest."""
    same, labels = np.zeros((30, 1)), np.array([0] * 5 + [1] * 15 + [2] * 10)
    np.testing.assert_array_equal(_vote(same, labels, np.zeros((3, 1))), [1, 1, 1])


def test_neighbours_are_scikit_learns_where_nothing_ties():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(2), 200)
    seen, asked = rng.normal(size=(400, 3)) + labels[:, None], rng.normal(size=(600, 3)) + 0.5
    scale = StandardScaler().fit(seen)
    reference = KNeighborsClassifier(5).fit(scale.transform(seen), labels)
    np.testing.assert_array_equal(_vote(seen, labels, asked), reference.predict(scale.transform(asked)))
