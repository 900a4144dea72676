"""A change of source within a clip is found where it is, and none is found where there is none."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from earwitness.mixing import best_splice

LOGS = arrays(np.float64, array_shapes(min_dims=2, max_dims=2, max_side=6), elements=st.floats(-20, 0, width=32))


def by_trying(logs):
    """The largest gain over every cut and every two sources, term by term."""
    parts, sources = logs.shape
    single = max(logs[:, k].sum() for k in range(sources))
    pairs = product(range(1, parts), range(sources), range(sources))
    return max((logs[:c, i].sum() + logs[c:, j].sum() - single for c, i, j in pairs if i != j), default=-np.inf)


@given(LOGS)
def test_the_gain_is_the_best_of_all_cuts_and_pairs(logs):
    found, best = best_splice(logs), by_trying(logs)
    if found is None:
        assert best <= 1e-9
    else:
        assert found.gain == pytest.approx(best, abs=1e-9)
        told = logs[: found.at, found.before].sum() + logs[found.at :, found.after].sum() - logs.sum(axis=0).max()
        assert told == pytest.approx(found.gain, abs=1e-9)
        assert found.before != found.after


@pytest.mark.parametrize("at", [1, 3, 5])
def test_a_change_is_found_where_it_is(at):
    logs = np.log(np.full((6, 3), 0.05))
    logs[:at, 2], logs[at:, 0] = np.log(0.9), np.log(0.9)
    found = best_splice(logs)
    assert (found.at, found.before, found.after) == (at, 2, 0)
    assert found.gain == pytest.approx(min(at, 6 - at) * np.log(0.9 / 0.05))


@pytest.mark.parametrize("parts", [0, 1])
def test_a_clip_of_one_part_has_no_change(parts):
    assert best_splice(np.zeros((parts, 3))) is None


def test_one_source_has_none_to_change_with():
    assert best_splice(-np.ones((5, 1))) is None


@given(LOGS, st.floats(-5, 5))
def test_what_all_sources_share_is_no_evidence_of_a_change(logs, shared):
    one, two = best_splice(logs), best_splice(logs + shared * np.arange(len(logs))[:, None])
    assert (one.gain if one else 0) == pytest.approx(two.gain if two else 0, abs=1e-6)
