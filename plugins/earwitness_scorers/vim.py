"""Virtual-logit matching: energy, less what lies outside the space of the known."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from earwitness.contracts import Gallery
from earwitness.types import FloatArray, Scores, State
from earwitness_scorers.prototypes import Logits, blocks, directions, logsumexp

LEAST_RESIDUAL = 1e-2
"""Mean length of the residuals of unit rows under which they count as having none."""


@dataclass(frozen=True, slots=True)
class Vim:
    """Unknown when a row lies too far outside the space that the enrolled rows span, for the energy it has.

    Logits f are `scale` cos(z, p_c), with p_c as `softmax` has it. The residual r is what the principal axes V of
    all rows leave of a row, and a makes its length as large as the largest logit is, on average over the rows:

        knownness = log sum over c of exp f_c - a |r|,   r = z - V V' z,   a = sum of max f / sum of |r|.

    The axes are taken about the point where all logits are 0, which for cosine logits is the origin. There are
    d / 2 of them, or `dims` from 1,000 dimensions on, and never more than half the rows, or than directions
    in which rows differ from 0: a few rows would leave no residual. Fitting goes through all rows twice; answering
    needs none.

    Source: Wang et al. 2022, ViM: Out-Of-Distribution with Virtual-logit Matching (arXiv 2203.10807).
    """

    name: ClassVar[str] = "vim"
    dims: int = 256
    scale: float = 30.0
    logits: Logits = "prototypes"

    def fit(self, gallery: Gallery) -> State:
        """One unit direction a source, (K, d), V (d, p) and a, ()."""
        ways, axes = directions(gallery, self.logits), self._axes(gallery.embeddings)
        logits = lengths = 0.0
        for block in blocks(len(gallery.labels), sum(ways.shape)):
            rows = gallery.embeddings[block]
            logits += self.scale * float((rows @ ways.T).max(axis=1).sum(dtype=np.float64))
            lengths += float(residuals(rows, axes).sum(dtype=np.float64))
        alpha = max(0.0, logits) / max(lengths, LEAST_RESIDUAL * len(gallery.labels))
        return {"directions": ways, "axes": axes, "alpha": np.array(alpha, np.float32)}

    def score(self, state: State, gallery: Gallery, queries: FloatArray) -> Scores:  # noqa: ARG002
        """(B, d) -> logits (B, K), energy less the virtual logit (B,)."""
        logits = self.scale * (queries @ state["directions"].T)
        virtual: FloatArray = state["alpha"] * residuals(queries, state["axes"])
        return Scores(logits, logsumexp(logits) - virtual)

    def _axes(self, rows: FloatArray) -> FloatArray:
        """The leading principal axes of rows (N, d), (d, p)."""
        count, dims = rows.shape
        moments = np.zeros((dims, dims))
        for block in blocks(count, dims):
            moments += rows[block].T.astype(np.float64) @ rows[block]
        lengths, axes = np.linalg.eigh(moments)  # ascending
        wanted = min(self.dims if dims >= 1000 else dims // 2, count // 2, spanned(lengths))
        return np.asarray(axes[:, dims - max(1, wanted) :], np.float32)


def spanned(lengths: NDArray[np.float64]) -> int:
    """How many of the squared lengths along axes (d,) are more than rounding."""
    return int((lengths > np.finfo(np.float32).eps * lengths.max()).sum())


def residuals(rows: FloatArray, axes: FloatArray) -> FloatArray:
    """Lengths of what axes (d, p) leave of rows (B, d), (B,)."""
    return np.asarray(np.linalg.norm(rows - rows @ axes @ axes.T, axis=1))
