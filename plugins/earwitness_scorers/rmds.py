"""Relative Mahalanobis distance of unit embeddings."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from earwitness.contracts import Gallery
from earwitness.types import FloatArray, Scores, State
from earwitness_scorers.gaussian import inverse_root, squared_distances, tied_gaussians


@dataclass(frozen=True, slots=True)
class Rmds:
    """Unknown when no source explains a window better than all rows together do.

    v_c = -1/2 (d_c^2 - d_0^2), d_c^2 = (z - mu_c)' S^-1 (z - mu_c) as in `mahalanobis`, and d_0^2 the distance under
    one Gaussian over all rows, sources weighing alike: about the mean mu_0 of the mu_c, with covariance S + their
    scatter. By the law of total variance that is what all rows scatter, but with one and the same shrinkage: of two
    covariances shrunk apart, the background's may be the smaller along directions in which no source differs, and
    then a window counts as the better known the farther out it lies there. A source alone would be its own
    background; for it mu_0 is the origin.

    Knownness = asinh(max v_c): the published max of 2 v_c on a scale that is logarithmic in both tails, where one
    window far off doesn't outweigh the others. It asks all sources, not the index's candidates.

    Source: Ren et al. 2021, A Simple Fix to Mahalanobis Distance for Improving Near-OOD Detection (arXiv 2106.09022).
    """

    name: ClassVar[str] = "rmds"
    dims: int = 128
    scale: float = 30.0

    def fit(self, gallery: Gallery) -> State:
        """The way (d, p) to where sources scatter evenly, their means there (K, p); from there on the background's."""
        means, whitener = tied_gaussians(gallery, self.dims, self.scale)
        middle = means.mean(axis=0, keepdims=True) if len(means) > 1 else np.zeros_like(means)  # (1, p)
        apart = means - middle
        background = inverse_root(np.eye(len(whitener.T)) + apart.T @ apart / len(means))  # (p, p)
        learned = {"means": means, "whitener": whitener, "background": background, "middle": middle @ background}
        return {name: array.astype(np.float32) for name, array in learned.items()}

    def score(self, state: State, gallery: Gallery, queries: FloatArray) -> Scores:  # noqa: ARG002
        """(B, d) -> half of how much nearer the sources are than the background (B, K), asinh of the most (B,)."""
        z = queries @ state["whitener"]
        own = squared_distances(z, state["means"])
        values = 0.5 * (squared_distances(z @ state["background"], state["middle"]) - own).astype(np.float32)
        return Scores(values, np.arcsinh(values.max(axis=1)))
