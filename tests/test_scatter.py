"""The scatter over cells against its formula, one cell at a time, and against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.covariance import shrunk_covariance
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from earwitness.scatter import inverse_root, middle, scatter


def sample(owner=(2, 0, 0, 2, 1), per_cell=(7, 1, 12, 3, 5), dims=4, seed=0):
    """Rows (N, dims) in a random order, labels (N,), and cells (N,) with numbers of no order."""
    rng = np.random.default_rng(seed)
    cell = rng.permutation(np.repeat(np.arange(len(owner)), per_cell))
    rows = rng.standard_normal((len(cell), dims)) + 3 * rng.standard_normal((len(owner), dims))[cell]
    return rows, np.array(owner)[cell], rng.permutation(10 * len(owner))[: len(owner)][cell]


def by_loops(rows, labels, cells):
    """Class means, and the within-scatter as the docstring has it, outer product by outer product."""
    means, within = [], np.zeros((rows.shape[1], rows.shape[1]))
    classes = sorted(set(labels))
    for label in classes:
        own = [rows[cells == cell] for cell in sorted(set(cells[labels == label]))]
        means.append(sum(sum(part) / len(part) for part in own) / len(own))
        for part in own:
            mean = sum(part) / len(part)
            spread = sum(np.outer(row - mean, row - mean) for row in part) / len(part)
            within += (spread + np.outer(mean - means[-1], mean - means[-1])) / len(own) / len(classes)
    return np.array(means), within


@pytest.mark.parametrize(
    ("owner", "per_cell"),
    [((2, 0, 0, 2, 1), (7, 1, 12, 3, 5)), ((0, 0), (4, 9)), ((5,), (6,)), ((3,), (1,)), ((0, 1), (1, 1))],
    ids=str,
)
def test_scatter_is_its_formula(owner, per_cell):
    rows, labels, cells = sample(owner, per_cell)
    found, (means, within) = scatter(rows, labels, cells), by_loops(rows, labels, cells)
    np.testing.assert_allclose(found.means, means, atol=1e-12)
    np.testing.assert_allclose(found.within, within, atol=1e-12)
    np.testing.assert_allclose(found.middle, means.mean(axis=0), atol=1e-12)
    np.testing.assert_array_equal(middle(rows, labels, cells), found.middle)


@pytest.mark.parametrize("shrinkage", [0.0, 0.3, 1.0])
def test_with_classes_for_cells_it_is_scikit_learns(shrinkage):
    rows, labels, _ = sample((0, 1, 2), (30, 9, 14))
    theirs = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage or None, priors=np.full(3, 1 / 3))
    theirs.fit(rows, labels)
    ours = scatter(rows, labels, labels)
    np.testing.assert_allclose(ours.shrunk(shrinkage), theirs.covariance_, atol=1e-12)
    np.testing.assert_allclose(ours.means, theirs.means_, atol=1e-12)


@given(st.floats(0, 1))
def test_a_share_is_spread_evenly_as_scikit_learn_spreads_it(share):
    found = scatter(*sample())
    np.testing.assert_allclose(found.shrunk(share), shrunk_covariance(found.within, share), atol=1e-12)


def test_cells_weigh_alike_however_many_rows_they_have():
    rows, labels, cells = sample()
    more = np.r_[np.arange(len(rows)), np.repeat(np.flatnonzero(cells == cells[0]), 5)]
    once, often = scatter(rows, labels, cells), scatter(rows[more], labels[more], cells[more])
    np.testing.assert_allclose(often.within, once.within, atol=1e-12)
    np.testing.assert_allclose(often.means, once.means, atol=1e-12)


@pytest.mark.parametrize("size", [1e-12, 1.0, 1e12])
def test_rounding_is_no_scatter(size):
    """Three equal rows whose mean rounds: their scatter would be noise, and its inverse root the noise enlarged."""
    row = size * np.random.default_rng(0).standard_normal((2, 50))
    found = scatter(np.repeat(row, 3, axis=0), np.repeat([0, 1], 3), np.repeat([0, 1], 3))
    np.testing.assert_array_equal(found.shrunk(0.5), np.eye(50))


def test_zero_rows_do_not_scatter():
    np.testing.assert_array_equal(scatter(np.zeros((3, 2)), np.zeros(3, int), np.arange(3)).shrunk(0.1), np.eye(2))


def test_the_inverse_root_makes_the_identity():
    matrix = by_loops(*sample())[1]
    root = inverse_root(matrix)
    np.testing.assert_allclose(root.T @ matrix @ root, np.eye(4), atol=1e-10)
    np.testing.assert_allclose(root @ root.T, np.linalg.inv(matrix), rtol=1e-8)


@pytest.mark.parametrize(("variances", "held"), [([4.0, 1.0, 0.0], 4e-8), ([0.0, 0.0, 0.0], 1e-8)])
def test_the_inverse_root_holds_what_is_still(variances, held):
    root = inverse_root(np.diag(variances))
    np.testing.assert_allclose(root @ root.T, np.diag(1 / np.maximum(variances, held)), rtol=1e-12)
