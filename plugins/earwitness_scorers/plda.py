"""Probabilistic linear discriminant analysis with two covariances."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from earwitness.contracts import Gallery
from earwitness.scatter import STILL, Scatter, inverse_root, scatter
from earwitness.types import FloatArray, Scores, State
from earwitness_scorers.prototypes import logsumexp

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Plda:
    """Unknown when a window is likelier a new source's than one of those enrolled.

    A window is z = y + e: y ~ N(m, B) its source, e ~ N(0, W) all else. Of source c there are n clips with mean m_c,
    windows of one clip being no new evidence. The value of c is the log-likelihood ratio of 'the window and the n
    clips share their y' to 'they don't',

        v_c = log N(z; m + B (B + W/n)^-1 (m_c - m), B + W - B (B + W/n)^-1 B) - log N(z; m, B + W),

    and knownness that of 'one of the K' to 'none of them', log mean_c exp v_c.

    m is the mean of the m_c, W the scatter of rows about the m_c, clips and sources counting alike,
    and B that of the m_c less W / n, n here the harmonic mean, and no variance below 0. A share
    of each, `within` and `between`, is spread evenly: strangers may well differ along directions in which those
    enrolled don't. A source alone is seen from the origin. Where the rows of a source don't scatter at all, W is I
    times the `scale`-th part of the mean variance between sources. Rows are unit; to centre them and make them unit
    again adds nothing.

    All is closed form. It asks all sources, not the index's candidates: K d operations a window.

    Sources: Ioffe, Probabilistic linear discriminant analysis, ECCV 2006; Brummer and de Villiers, The speaker
    partitioning problem, Odyssey 2010; Sizov, Lee and Kinnunen, Unifying probabilistic linear discriminant analysis
    variants in biometric authentication, S+SSPR 2014.
    """

    name: ClassVar[str] = "plda"
    within: float = 0.7
    between: float = 0.9
    scale: float = 30.0

    def fit(self, gallery: Gallery) -> State:
        """The `projection` (d, d) to where W is I and B diagonal; there z as expected of each source, and variances."""
        found, counts = scatter_of_clips(gallery)
        centre = found.middle if len(counts) > 1 else np.zeros_like(found.middle)
        between, within = self._covariances(found, found.means - centre, counts)
        whitener = inverse_root(within)
        variances, axes = np.linalg.eigh(whitener.T @ between @ whitener)
        projection, variances = whitener @ axes, np.maximum(variances, 0.0)
        gain = variances / (variances + 1 / counts[:, None])  # (K, d)
        learned = {
            "centre": centre @ projection,
            "projection": projection,
            "expected": gain * ((found.means - centre) @ projection),
            "variances": 1 + variances * (1 - gain),
            "prior": 1 + variances[None],
        }
        return {name: array.astype(np.float32) for name, array in learned.items()}

    def _covariances(self, found: Scatter, apart: Array, counts: Array) -> tuple[Array, Array]:
        """B and W, (d, d), of the sources' m_c - m (K, d) and their clips n (K,)."""
        total = apart.T @ apart / max(len(apart) - 1, 1)
        variances, axes = np.linalg.eigh(total - found.within * (1 / counts).mean())
        between = (axes * np.maximum(variances, 0.0)) @ axes.T
        level, even = np.trace(between) / len(total), np.eye(len(total))
        still = np.trace(found.within) <= STILL * np.square(found.means).sum(axis=1).mean()
        within = (level / self.scale or 1.0) * even if still else found.shrunk(self.within)
        return (1 - self.between) * between + self.between * level * even, within

    def score(self, state: State, gallery: Gallery, queries: FloatArray) -> Scores:  # noqa: ARG002
        """(B, d) -> log-likelihood ratios of each source (B, K), and of one of them, whichever (B,)."""
        z = queries @ state["projection"] - state["centre"]
        unknown = log_densities(z, np.zeros_like(state["prior"]), state["prior"])  # (B, 1)
        values = (log_densities(z, state["expected"], state["variances"]) - unknown).astype(np.float32)
        return Scores(values, logsumexp(values) - np.float32(np.log(values.shape[1])))


def log_densities(points: FloatArray, means: FloatArray, variances: FloatArray) -> Array:
    """Log of diagonal normal densities but for the constant, (B, d) under K of them (K, d) -> (B, K)."""
    z, mean, precision = points.astype(np.float64), means.astype(np.float64), 1 / variances.astype(np.float64)
    squared = np.square(z) @ precision.T - 2 * z @ (mean * precision).T + (np.square(mean) * precision).sum(axis=1)
    return np.asarray(0.5 * (np.log(precision).sum(axis=1) - squared))


def scatter_of_clips(gallery: Gallery) -> tuple[Scatter, Array]:
    """The scatter of rows about their sources, clips counting alike and sources too, and the clips of each (K,)."""
    _, first = np.unique(gallery.clips, return_index=True)
    counts = np.bincount(gallery.labels[first], minlength=len(gallery.sources)).astype(np.float64)
    return scatter(gallery.embeddings, gallery.labels, gallery.clips), counts
