"""Energy guided by nearest neighbours."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from earwitness.contracts import Gallery
from earwitness.types import FloatArray, Scores, State
from earwitness_scorers.prototypes import Logits, blocks, directions, logsumexp


@dataclass(frozen=True, slots=True)
class NnGuide:
    """Unknown when a row's confidence, or that of the rows around it, is too low.

    With E = log sum over c of exp f_c, f the logits `scale` cos(z, p_c), p_c as `softmax` has it, knownness is

        E(z) g(z),   g(z) = mean over the k rows i with the largest of cos(z, z_i) E(z_i),

    k = min(`k`, n_c / 2) with n_c the rows of the source that owns the nearest one, lest those of others drown out a
    source of few. They are looked for among the `hits` rows nearest in the index, so g is exact for up to `hits`
    rows, and beyond that but for far rows of great confidence. Unlike a network's features after a ReLU, ours can be
    opposite, and two negative factors would pass for known: so a logit of 0, a cosine of 0, always stands beside f,
    which keeps E above 0, and where g is negative it is the knownness alone.

    Source: Park, Jung and Teoh 2023, Nearest Neighbor Guidance for Out-of-Distribution Detection, ICCV.
    """

    name: ClassVar[str] = "nnguide"
    k: int = 100
    hits: int = 512
    scale: float = 30.0
    logits: Logits = "prototypes"

    def fit(self, gallery: Gallery) -> State:
        """One unit direction a source, (K, d), how many neighbours it is asked for, (K,), and E of each row, (N,)."""
        ways = directions(gallery, self.logits)
        energies = np.empty(len(gallery.labels), np.float32)
        for block in blocks(len(energies), len(ways)):
            energies[block] = energy(self.scale * (gallery.embeddings[block] @ ways.T))
        neighbours = np.clip(np.bincount(gallery.labels, minlength=len(ways)) // 2, 1, self.k)
        return {"directions": ways, "neighbours": neighbours, "energies": energies}

    def score(self, state: State, gallery: Gallery, queries: FloatArray) -> Scores:
        """(B, d) -> logits (B, K), guided energy (B,)."""
        logits = self.scale * (queries @ state["directions"].T)
        guidance = np.empty(len(queries), np.float32)
        for block in blocks(len(queries), self.hits):
            similarities, rows = gallery.search(queries[block], max(self.hits, self.k))  # (b, hits)
            best = -np.sort(-similarities * state["energies"][rows], axis=1)
            k = np.minimum(state["neighbours"][gallery.labels[rows[:, :1]]], rows.shape[1])  # (b, 1)
            guidance[block] = np.take_along_axis(best.cumsum(axis=1), k - 1, axis=1)[:, 0] / k[:, 0]
        return Scores(logits, guidance * np.where(guidance > 0, energy(logits), np.float32(1)))


def energy(logits: FloatArray) -> FloatArray:
    """Log of 1 + the sum of exp over the sources, (B, K) -> (B,)."""
    return np.logaddexp(logsumexp(logits), np.float32(0))
