"""`lda`: linear discriminant analysis of pooled features, in closed form."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from earwitness.types import FloatArray, IntArray, State

Array = NDArray[np.float64]

STILL = 1e-8
"""Deviation under which a feature never moves, and variance, of the largest, under which a component doesn't."""


@dataclass(frozen=True, slots=True)
class Lda:
    """Where classes differ and the voices of a class don't, scaled so that all differences count alike.

    A window is the mean x of its features over frames. A cell g is one voice of a class c; m_g and S_g are its mean
    and covariance, m_c is the mean of the m_g of a class, m of the m_c: voices count alike, and so do classes,
    however many windows they have. Features less m are brought to unit deviation, and by A to their p leading
    principal components, at most `components`; there, with s the shrinkage,

        W = mean over c, mean over g in c, of S_g + (m_g - m_c)(m_g - m_c)',   W_s = (1 - s) W + s tr(W) / p I,
        B = mean over c of (m_c - m)(m_c - m)',   B v = l W_s v,  v' W_s v = 1,   e = V' A' (x - m),

    V the v of the largest l. So the shrunk within-scatter of e is the identity, and its origin the middle of the
    classes, from where angles tell them apart.

    Sources: Fisher, The use of multiple measurements in taxonomic problems, Annals of Eugenics 7, 1936; Rao, The
    utilization of multiple measurements, J. Royal Statistical Society B 10, 1948 (several classes); Friedman,
    Regularized discriminant analysis, JASA 84, 1989 (s); Belhumeur et al., Eigenfaces vs. Fisherfaces, PAMI 19,
    1997 (components first).

    Args:
        components: Principal components kept, at most.
        shrinkage: Share of the within-scatter that is spread evenly.
        dim: Length of the embedding; None means one less than there are classes, and it can't be more.
    """

    name: ClassVar[str] = "lda"
    components: int = 200
    shrinkage: float = 0.05
    dim: int | None = None

    def fit(self, features: FloatArray, labels: IntArray, cells: IntArray) -> State:
        """Windows (N, frames, dims), classes (N,) and cells (N,) -> `mean` (dims,), `projection` (dims, d)."""
        x = _pooled(features)
        mean = _middle(x, labels, cells)
        axes = _principal(x - mean, self.components)
        within, between = _scatters((x - mean) @ axes, labels, cells)
        even = np.trace(within) / len(within) * np.eye(len(within))
        whitener = _inverse_root((1 - self.shrinkage) * within + self.shrinkage * even)
        _, directions = np.linalg.eigh(whitener.T @ between @ whitener)  # ascending
        most = len(np.unique(labels)) - 1
        leading = directions[:, ::-1][:, : min(self.dim or most, most)]
        return {"mean": mean.astype(np.float32), "projection": (axes @ whitener @ leading).astype(np.float32)}

    def embed(self, state: State, features: FloatArray) -> FloatArray:
        """(B, frames, dims) -> (B, d)."""
        return np.asarray((_pooled(features) - state["mean"]) @ state["projection"], np.float32)


def _pooled(features: FloatArray) -> Array:
    """(N, frames, dims) -> (N, dims)."""
    return np.asarray(features.mean(axis=1, dtype=np.float64))


def _group_means(rows: Array, groups: IntArray) -> tuple[Array, IntArray, IntArray]:
    """The mean row of each group, (G, k), the first row of each, (G,), and the group of each row, (N,)."""
    _, first, index = np.unique(groups, return_index=True, return_inverse=True)
    sums = np.zeros((len(first), rows.shape[1]))
    np.add.at(sums, index, rows)
    return sums / np.bincount(index)[:, None], first, index


def _middle(x: Array, labels: IntArray, cells: IntArray) -> Array:
    """The mean over classes of the means over their cells, (dims,)."""
    cell_means, first, _ = _group_means(x, cells)
    class_means, _, _ = _group_means(cell_means, labels[first])
    return np.asarray(class_means.mean(axis=0))


def _principal(x: Array, components: int) -> Array:
    """Standardise and rotate to the leading axes that vary at all: (N, dims) -> (dims, p)."""
    deviation = x.std(axis=0)
    scale = np.where(deviation > STILL, 1 / np.maximum(deviation, STILL), 0.0)
    variances, axes = np.linalg.eigh(np.cov(x * scale, rowvar=False))  # ascending
    moving = axes[:, variances >= STILL * variances[-1]]
    return np.asarray(scale[:, None] * moving[:, -components:])


def _scatters(z: Array, labels: IntArray, cells: IntArray) -> tuple[Array, Array]:
    """W and B of rows about the middle of their classes, (N, p) -> (p, p) each."""
    cell_means, first, cell = _group_means(z, cells)
    class_means, _, owner = _group_means(cell_means, labels[first])
    share = 1 / (len(class_means) * np.bincount(owner)[owner])  # of each cell
    spread = z - cell_means[cell]  # (N, p)
    voices = cell_means - class_means[owner]  # (G, p)
    within = (spread * (share / np.bincount(cell))[cell, None]).T @ spread + (voices * share[:, None]).T @ voices
    return within, class_means.T @ class_means / len(class_means)


def _inverse_root(scatter: Array) -> Array:
    """A (p, p) with A' scatter A the identity."""
    variances, axes = np.linalg.eigh(scatter)
    return np.asarray(axes / np.sqrt(np.maximum(variances, STILL * (variances[-1] or 1.0))))
