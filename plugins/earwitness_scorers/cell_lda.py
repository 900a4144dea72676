"""Linear discriminant analysis over the cells of a registry."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from earwitness.contracts import Gallery
from earwitness.scatter import Scatter, inverse_root, scatter
from earwitness.types import FloatArray, Scores, State

Array = NDArray[np.float64]

TIE = 1e-3
"""Weight of the within-scatter in choosing directions: it only orders those along which no class differs."""


@dataclass(frozen=True, slots=True)
class CellLda:
    """Nearest mean where sources differ and their voices don't; unknown when the k-th nearest row is too far.

    With m_c the sources' means and W the scatter of unit rows e within sources, both over cells
    (`earwitness.scatter`), W_s = (1 - s) W + s tr(W) / d I, s the `shrinkage`, m the middle of the m_c, or the origin
    for a source alone, and B = mean over c of (m_c - m)(m_c - m)',

        (B + t W) v = l W_s v,   v' W_s v = 1,   z = V'(e - m),   values `scale` cos(z, V'(m_c - m)),

    V the v of the largest l: as many as there are sources less one, and never under `least`, so that few sources
    don't leave a line on which everything is near something. Knownness is the cosine of z to that of its k-th
    nearest row, k = min(`k`, n_c / 2), n_c the rows of the source that owns the nearest. It is all closed form: a
    source enrolled moves the directions at once, without training. Answering goes through all rows: the index ranks
    them by another cosine.

    Sources: Rao, The utilization of multiple measurements, J. Royal Statistical Society B 10, 1948; Friedman,
    Regularized discriminant analysis, JASA 84, 1989; Sun et al. 2022, Out-of-Distribution Detection with Deep Nearest
    Neighbors (arXiv 2204.06507).
    """

    name: ClassVar[str] = "cell_lda"
    shrinkage: float = 0.5
    least: int = 16
    k: int = 15
    scale: float = 30.0

    def fit(self, gallery: Gallery) -> State:
        """The way to z, (d, q) and (q,), the sources' directions there (K, q), the rows' (N, q), and each row's k."""
        found = scatter(gallery.embeddings, gallery.labels, gallery.cells)
        middle = found.middle if len(found.means) > 1 else np.zeros_like(found.middle)
        projection = self._directions(found, found.means - middle)
        centre = middle @ projection
        counts = np.bincount(gallery.labels, minlength=len(gallery.sources))
        learned = {
            "projection": projection,
            "centre": centre,
            "means": _directed(found.means @ projection - centre),
            "rows": _directed(gallery.embeddings @ projection.astype(np.float32) - centre.astype(np.float32)),
        }
        neighbours = np.clip(counts // 2, 1, self.k)[gallery.labels]
        return {name: array.astype(np.float32) for name, array in learned.items()} | {"neighbours": neighbours}

    def _directions(self, found: Scatter, apart: Array) -> Array:
        """V (d, q), of the sources' m_c - m (K, d)."""
        whitener = inverse_root(found.shrunk(self.shrinkage))
        between = apart.T @ apart / len(apart)
        _, directions = np.linalg.eigh(whitener.T @ (between + TIE * found.within) @ whitener)  # ascending
        return np.asarray((whitener @ directions)[:, ::-1][:, : max(len(apart) - 1, self.least)])

    def score(self, state: State, gallery: Gallery, queries: FloatArray) -> Scores:  # noqa: ARG002
        """(B, d) -> scaled cosines to the sources' means (B, K), cosine to the k-th nearest row (B,)."""
        z = _directed(queries @ state["projection"] - state["centre"])
        cosines = z @ state["rows"].T  # (B, N)
        k = state["neighbours"][cosines.argmax(axis=1)]
        most = min(self.k, cosines.shape[1])
        ranked = np.sort(np.partition(cosines, -most, axis=1)[:, -most:], axis=1)
        return Scores(self.scale * (z @ state["means"].T), ranked[np.arange(len(z)), -k])


def _directed(z: NDArray[np.floating]) -> NDArray[np.floating]:
    """Rows at unit length; zero stays zero."""
    lengths = np.linalg.norm(z, axis=1, keepdims=True)
    return np.asarray(z / np.maximum(lengths, np.finfo(np.float32).tiny))
