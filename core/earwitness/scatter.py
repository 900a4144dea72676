"""How rows scatter within classes, when each class comes in several cells: voices, speakers, pages."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from earwitness.types import IntArray

__all__ = ["STILL", "Scatter", "inverse_root", "middle", "scatter"]

Array = NDArray[np.float64]

STILL = 1e-8
"""Share of the largest variance under which a direction counts as still; of the mean square under which all do."""
BLOCK = 1 << 14
"""Rows made float64 at once."""


@dataclass(frozen=True, slots=True)
class Scatter:
    """`within` (p, p) about the class `means` (K, p), in the order of their labels, and the `middle` (p,) of these."""

    middle: Array
    means: Array
    within: Array

    def shrunk(self, share: float) -> Array:
        """The within-scatter W with a share s of it spread evenly: (1 - s) W + s tr(W) / p I; I where W is rounding.

        Source: Friedman, Regularized discriminant analysis, JASA 84, 1989.
        """
        dims, total = len(self.within), np.trace(self.within)
        if total <= STILL * (total + np.square(self.means).sum(axis=1).mean()):
            return np.eye(dims)
        return np.asarray((1 - share) * self.within + share * total / dims * np.eye(dims))


def middle(rows: NDArray[np.floating], labels: IntArray, cells: IntArray) -> Array:
    """The mean over classes of the means over their cells: (N, p) -> (p,)."""
    cell_means, first, _ = _group_means(rows, cells)
    means, _, _ = _group_means(cell_means, labels[first])
    return np.asarray(means.mean(axis=0))


def scatter(rows: NDArray[np.floating], labels: IntArray, cells: IntArray) -> Scatter:
    """Scatter of rows (N, p) with classes (N,) and cells (N,), no cell being of two classes.

    A cell g is one voice of a class c; m_g and S_g are its mean and covariance, m_c is the mean of the m_g of a
    class, the middle that of the m_c: voices count alike, and so do classes, however many rows they have.

        W = mean over c, mean over g in c, of S_g + (m_g - m_c)(m_g - m_c)'
    """
    cell_means, first, cell = _group_means(rows, cells)
    means, _, owner = _group_means(cell_means, labels[first])
    share = 1 / (len(means) * np.bincount(owner)[owner])  # of each cell
    voices = cell_means - means[owner]  # (G, p)
    within = (voices * share[:, None]).T @ voices
    weights = (share / np.bincount(cell))[cell, None]
    for part in _blocks(len(rows)):
        spread = rows[part] - cell_means[cell[part]]
        within += (spread * weights[part]).T @ spread
    return Scatter(means.mean(axis=0), means, within)


def inverse_root(matrix: Array) -> Array:
    """A (p, p) with A' matrix A the identity; directions that don't vary are held at `STILL` of the largest."""
    variances, axes = np.linalg.eigh(matrix)
    return np.asarray(axes / np.sqrt(np.maximum(variances, STILL * (variances[-1] or 1.0))))


def _blocks(count: int) -> Iterator[slice]:
    return (slice(at, at + BLOCK) for at in range(0, count, BLOCK))


def _group_means(rows: NDArray[np.floating], groups: IntArray) -> tuple[Array, IntArray, IntArray]:
    """The mean row of each group, (G, p), the place of its first row, (G,), and the group of each row, (N,)."""
    _, first, index = np.unique(groups, return_index=True, return_inverse=True)
    sums = np.zeros((len(first), rows.shape[1]))
    for part in _blocks(len(rows)):
        np.add.at(sums, index[part], rows[part].astype(np.float64))
    return sums / np.bincount(index)[:, None], first, index
