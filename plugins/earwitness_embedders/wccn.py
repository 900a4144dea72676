"""`wccn`: within-class covariance normalisation of pooled features, in closed form."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from earwitness.scatter import STILL, inverse_root, middle, scatter
from earwitness.types import FloatArray, IntArray, State

Array = NDArray[np.float64]

FLAT = 1e-6
"""Deviation under which a feature doesn't vary: of a logarithm near ten, single precision tells no more."""


@dataclass(frozen=True, slots=True)
class Wccn:
    """A space in which the voices, codecs and rooms of a class scatter evenly: what is left tells classes apart.

    A window is the mean x of its features over frames; m is their middle, d their deviation over all windows, A their
    p leading principal axes, at most `components`, once they are centred, scaled and held within `limit` deviations.
    With W the scatter of A' z within classes (`earwitness.scatter`: within cells and between the cells of a class,
    each training clip in all its degraded versions) and s the shrinkage,

        z = clip((x - m) / d, -`limit`, `limit`),   W_s = (1 - s) W + s tr(W) / p I,   R' W_s R = I,   e = R' A' z.

    No direction is given up for the classes at hand: a source enrolled later may differ along any of them, and a
    scorer finds those that matter (`cell_lda`) from clean references alone, since what degradations do is divided out.

    Sources: Hatch, Kajarekar and Stolcke, Within-class covariance normalization for SVM-based speaker recognition,
    Interspeech 2006; Friedman, Regularized discriminant analysis, JASA 84, 1989 (s).

    Args:
        components: Principal components kept, at most.
        shrinkage: Share of the within-scatter that is spread evenly.
        limit: Deviations beyond which a feature is cut.
    """

    name: ClassVar[str] = "wccn"
    components: int = 150
    shrinkage: float = 0.1
    limit: float = 8.0

    def fit(self, features: FloatArray, labels: IntArray, cells: IntArray) -> State:
        """Windows (N, frames, dims), classes (N,), cells (N,) -> `mean` and `scale` (dims,), `projection` (dims, p)."""
        x = _pooled(features)
        mean = middle(x, labels, cells)
        deviation = x.std(axis=0)
        scale = np.where(deviation > FLAT, 1 / np.maximum(deviation, FLAT), 0.0)
        z = self._standardised(x, mean, scale)
        axes = _principal(z, self.components)
        whitener = inverse_root(scatter(z @ axes, labels, cells).shrunk(self.shrinkage))
        learned = {"mean": mean, "scale": scale, "projection": axes @ whitener}
        return {name: array.astype(np.float32) for name, array in learned.items()}

    def embed(self, state: State, features: FloatArray) -> FloatArray:
        """(B, frames, dims) -> (B, p)."""
        z = self._standardised(_pooled(features), state["mean"], state["scale"])
        return np.asarray(z @ state["projection"], np.float32)

    def _standardised(self, x: Array, mean: Array, scale: Array) -> Array:
        return np.asarray(np.clip((x - mean) * scale, -self.limit, self.limit))


def _pooled(features: FloatArray) -> Array:
    """(N, frames, dims) -> (N, dims)."""
    return np.asarray(features.mean(axis=1, dtype=np.float64))


def _principal(z: Array, components: int) -> Array:
    """The leading axes along which rows vary at all: (N, dims) -> (dims, p)."""
    centred = z - z.mean(axis=0)
    variances, axes = np.linalg.eigh(centred.T @ centred / len(z))  # ascending
    moving = axes[:, variances >= STILL * variances[-1]]
    return np.asarray(moving[:, -components:])
