"""Mahalanobis distance of unit embeddings."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from earwitness.contracts import Gallery
from earwitness.types import FloatArray, Scores, State
from earwitness_scorers.prototypes import source_means

NO_SCATTER = 1e-6
"""Mean variance a dimension under which rows of a source count as equal."""


@dataclass(frozen=True, slots=True)
class Mahalanobis:
    """Unknown when every source is many deviations away.

    v_c = -1/2 (z - mu_c)' S^-1 (z - mu_c); z is unit ('++'), S the pooled within-source covariance, shrunk after
    Ledoit and Wolf. Knownness = -log(1 - 2 max v_c), the published max v_c on a scale where one window far off, or
    strangers of development far off, don't outweigh everything near the threshold.

    With fewer than ten rows a dimension, z is first projected on the leading min(`dims`, N / 4) principal axes of
    all rows, taken about the origin: so they hold the direction of a lone source. Where the rows of a source don't
    scatter at all (one row each), S is I / `scale`, which makes v_c the cosine logit `scale` (cos - 1).

    Source: Mueller and Hein 2025, Mahalanobis++ (arXiv 2505.18032); Ledoit and Wolf 2004.
    """

    name: ClassVar[str] = "mahalanobis"
    dims: int = 128
    scale: float = 30.0

    def fit(self, gallery: Gallery) -> State:
        """Means in the whitened space, (K, p), and the way there, (d, p)."""
        means = source_means(gallery).astype(np.float64)
        residuals = gallery.embeddings - means[gallery.labels]
        axes = self._axes(gallery.embeddings)
        if np.square(residuals).mean() < NO_SCATTER:
            whitener = np.sqrt(self.scale) * np.eye(means.shape[1])
        else:
            whitener = axes @ inverse_root(ledoit_wolf(residuals @ axes))
        return {"means": (means @ whitener).astype(np.float32), "whitener": whitener.astype(np.float32)}

    def score(self, state: State, gallery: Gallery, queries: FloatArray) -> Scores:  # noqa: ARG002
        """(B, d) -> minus half the squared distances (B, K), minus the log of 1 + the least of each row (B,)."""
        z, means = (queries @ state["whitener"]).astype(np.float64), state["means"].astype(np.float64)
        squared = np.square(z).sum(1)[:, None] - 2 * z @ means.T + np.square(means).sum(1)  # (B, K)
        values = (-0.5 * np.maximum(squared, 0.0)).astype(np.float32)
        return Scores(values, -np.log1p(-2 * values.max(axis=1)))

    def _axes(self, rows: FloatArray) -> NDArray[np.float64]:
        count, dims = rows.shape
        if count >= 10 * dims:
            return np.eye(dims)
        _, axes = np.linalg.eigh(rows.T.astype(np.float64) @ rows)  # ascending
        return axes[:, -max(1, min(self.dims, count // 4, dims)) :]


def ledoit_wolf(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """The covariance of centred rows (N, p) drawn towards a multiple of the identity, (p, p).

    (1 - b/d) S + (b/d) m I, m = tr S / p, d = |S - m I|^2, b = min(d, mean |x x' - S|^2 / N); Frobenius norms.
    """
    count, dims = rows.shape
    sample = rows.T @ rows / count
    target = np.trace(sample) / dims * np.eye(dims)
    spread = np.square(sample - target).sum()
    noise = (np.square(np.square(rows).sum(1)).mean() - np.square(sample).sum()) / count
    weight = min(1.0, noise / spread) if spread > 0 else 0.0
    return np.asarray((1 - weight) * sample + weight * target)


def inverse_root(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """A (p, p) with A A' the inverse; directions without variance are held at NO_SCATTER."""
    variances, axes = np.linalg.eigh(covariance)
    return np.asarray(axes / np.sqrt(np.maximum(variances, NO_SCATTER)))
