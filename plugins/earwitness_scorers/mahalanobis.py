"""Mahalanobis distance of unit embeddings."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from earwitness.contracts import Gallery
from earwitness.types import FloatArray, Scores, State
from earwitness_scorers.gaussian import squared_distances, tied_gaussians


@dataclass(frozen=True, slots=True)
class Mahalanobis:
    """Unknown when every source is many deviations away.

    v_c = -1/2 (z - mu_c)' S^-1 (z - mu_c); z is unit ('++'), S the pooled within-source covariance, shrunk after
    Ledoit and Wolf, on the leading `dims` axes where rows are few (`earwitness_scorers.gaussian`, there also `scale`).
    Knownness = -log(1 - 2 max v_c), the published max v_c on a scale where one window far off, or strangers of
    development far off, don't outweigh everything near the threshold.

    It asks all sources, not the index's candidates: K p operations a window.

    Source: Mueller and Hein 2025, Mahalanobis++ (arXiv 2505.18032); Ledoit and Wolf 2004.
    """

    name: ClassVar[str] = "mahalanobis"
    dims: int = 128
    scale: float = 30.0

    def fit(self, gallery: Gallery) -> State:
        """Means in the whitened space, (K, p), and the way there, (d, p)."""
        means, whitener = tied_gaussians(gallery, self.dims, self.scale)
        return {"means": means.astype(np.float32), "whitener": whitener.astype(np.float32)}

    def score(self, state: State, gallery: Gallery, queries: FloatArray) -> Scores:  # noqa: ARG002
        """(B, d) -> minus half the squared distances (B, K), minus the log of 1 + the least of each row (B,)."""
        values = -0.5 * squared_distances(queries @ state["whitener"], state["means"]).astype(np.float32)
        return Scores(values, -np.log1p(-2 * values.max(axis=1)))
