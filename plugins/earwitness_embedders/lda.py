"""`lda`: linear discriminant analysis of pooled features, in closed form."""

from collections.abc import Sequence
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
    """Where classes differ and the voices of a class don't, scaled so that differences count alike.

    A window is the mean of its features over frames. Features are standardised and brought to their leading
    principal `components`. A cell g is a class c in one voice, m_g and S_g are its mean and covariance; all
    cells count alike, however many windows they have. With m_c the mean of the m_g of a class, m the mean of
    the m_c, and p components,

        W = mean over g of S_g + (m_g - m_c)(m_g - m_c)',   W_s = (1 - s) W + s tr(W) / p I,
        B = mean over c of (m_c - m)(m_c - m)',             B v = l W_s v,  v' W_s v = 1;

    e = V'(x - m), V the v with the largest l. So the shrunk within-scatter of e is the identity and its origin lies
    midway between the classes, from where angles tell them apart.

    Sources: Fisher, The use of multiple measurements in taxonomic problems, Annals of Eugenics 7, 1936; Rao,
    J. Royal Statistical Society B 10, 1948 (several classes); Friedman, Regularized discriminant analysis,
    JASA 84, 1989 (s); PCA before it as in Belhumeur, Hespanha and Kriegman, Eigenfaces vs. Fisherfaces, PAMI 1997.

    Args:
        components: Principal components kept, at most.
        shrinkage: Share s of the within-scatter that is spread evenly.
        dim: Length of the embedding, at most the classes less one; 0 means that.
    """

    name: ClassVar[str] = "lda"
    components: int = 200
    shrinkage: float = 0.05
    dim: int = 0

    def fit(self, features: FloatArray, labels: IntArray, cells: Sequence[str]) -> State:
        """Origin `mean` (dims,) and `projection` (dims, d) from windows (N, frames, dims), labels and voices (N,)."""
        x = _pooled(features)
        centre, deviation = x.mean(axis=0), x.std(axis=0)
        scale = np.where(deviation > STILL, 1 / np.maximum(deviation, STILL), 0.0)
        axes = scale[:, None] * _principal((x - centre) * scale, self.components)  # (dims, p)
        within, between, middle = _scatters((x - centre) @ axes, labels, cells)
        level = np.trace(within) / len(within)
        whitener = _inverse_root((1 - self.shrinkage) * within + self.shrinkage * level * np.eye(len(within)))
        _, directions = np.linalg.eigh(whitener.T @ between @ whitener)  # ascending
        most = len(np.unique(labels)) - 1
        leading = directions[:, ::-1][:, : min(self.dim or most, most)]
        state = {"mean": _pooled(features).mean(axis=0), "projection": axes @ whitener @ _signed(leading)}
        state["mean"] = centre + np.linalg.pinv(axes.T) @ middle
        return {key: value.astype(np.float32) for key, value in state.items()}

    def embed(self, state: State, features: FloatArray) -> FloatArray:
        """(B, frames, dims) -> (B, d)."""
        return np.asarray((_pooled(features) - state["mean"]) @ state["projection"], np.float32)


def _pooled(features: FloatArray) -> Array:
    """(N, frames, dims) -> (N, dims)."""
    return np.asarray(features.mean(axis=1, dtype=np.float64))
