"""OpenMax: a softmax that keeps a place for what it has never seen."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from earwitness.contracts import Gallery
from earwitness.types import FloatArray, Scores, State
from earwitness_scorers.prototypes import Logits, blocks, directions, logsumexp, rows_by_source
from earwitness_scorers.weibull import Array, fit_weibull, weibull_cdf

FLOOR = 1e-6
"""Cosine distances, and squared euclidean ones, under which rounding decides: rows as alike as that are equal."""


@dataclass(frozen=True, slots=True)
class OpenMax:
    """Activations far from their source's mean give up their mass to class K + 1, 'unknown'.

    Activations are cosine logits v = `scale` cos(z, p_c), with p_c as `softmax` has it. For each source: the mean
    activation vector of its rightly classified rows, and a Weibull over the `tail` largest distances of those rows
    from it. A query's `alpha` largest activations become v_i (1 - w_i F_i(distance_i)), w = 1, (alpha - 1) / alpha,
    ... by rank; what they lose is the activation of class K + 1. Only positive activations lose: taking from a
    negative one would raise it. The tail is at most a tenth of a source's rows (published: 20 of about 1,000), for
    the 20 largest of 20 are no tail; so a source with fewer than 30 right rows loses nothing.

    Distances need K activations only by their inner products, and with `scale` (p_1 ... p_K)' = QR those of Rz are
    the same in at most d numbers: so a mean is kept in d, not in K. Fitting goes through all rows; answering needs
    none.

    Values are the revised activations. 'Unknown if class K + 1 wins, or the best probability P is under the
    threshold' is one threshold on knownness: log P / (1 - P) where a source wins, which is above -log K; else
    -log K + log P / P(unknown), which is not. `eucos` = euclidean / 200 + cosine, as published.

    Source: Bendale and Boult 2016, Towards Open Set Deep Networks (arXiv 1511.06233).
    """

    name: ClassVar[str] = "openmax"
    tail: int = 20
    alpha: int = 10
    distance: Literal["euclidean", "cosine", "eucos"] = "eucos"
    scale: float = 30.0
    logits: Logits = "prototypes"

    def fit(self, gallery: Gallery) -> State:
        """Directions (K, d), R' (d, q), mean activations by it (K, q), Weibull shapes and scales (K,)."""
        ways = directions(gallery, self.logits)
        root = np.linalg.qr(self.scale * ways.astype(np.float64)).R.T
        right = self._right(gallery, ways)
        means = np.zeros((len(ways), root.shape[1]))
        weibulls = np.empty((len(ways), 2))
        for source, rows in enumerate(rows_by_source(gallery)):
            own = gallery.embeddings[rows[right[rows]]] @ root  # (n, q)
            means[source] = own.mean(axis=0) if len(own) else 0.0
            distances = self._distances(own, means[source : source + 1])[:, 0]
            tail = min(self.tail, len(distances) // 10)
            weibulls[source] = fit_weibull(np.sort(distances)[len(distances) - tail :])
        learned = {"means": means, "shapes": weibulls[:, 0], "scales": weibulls[:, 1]}
        return {"directions": ways, "root": root} | learned

    def _right(self, gallery: Gallery, ways: FloatArray) -> NDArray[np.bool_]:
        """Which rows have their largest activation at their own source, (N,)."""
        right = np.empty(len(gallery.labels), np.bool_)
        for block in blocks(len(right), len(ways)):
            right[block] = (gallery.embeddings[block] @ ways.T).argmax(axis=1) == gallery.labels[block]
        return right

    def score(self, state: State, gallery: Gallery, queries: FloatArray) -> Scores:  # noqa: ARG002
        """(B, d) -> revised activations (B, K), knownness (B,)."""
        activations = self.scale * (queries @ state["directions"].T)
        distances = self._distances(np.asarray(queries @ state["root"]), state["means"])
        outlying = weibull_cdf(distances, state["shapes"], state["scales"]).astype(np.float32)
        lost = self._rank_weights(activations) * outlying * np.maximum(activations, 0.0)
        revised = activations - lost
        return Scores(revised, knownness(revised, lost.sum(axis=1)))

    def _rank_weights(self, activations: FloatArray) -> FloatArray:
        """(B, K) -> 1 for the largest activation, falling by 1 / alpha a rank to 0."""
        alpha = min(self.alpha, activations.shape[1])
        ranks = np.argsort(np.argsort(-activations, axis=1, kind="stable"), axis=1)
        return np.asarray(np.maximum(0.0, 1.0 - ranks / alpha), np.float32)

    def _distances(self, activations: Array, means: Array) -> Array:
        """(B, q) and (M, q) -> (B, M)."""
        products = activations @ means.T
        norms, others = np.square(activations).sum(1)[:, None], np.square(means).sum(1)
        euclidean = np.sqrt(np.maximum(norms - 2 * products + others, FLOOR))
        cosine = np.maximum(1 - products / np.maximum(np.sqrt(norms * others), np.finfo(np.float64).tiny), FLOOR)
        kinds = {"euclidean": euclidean, "cosine": cosine, "eucos": euclidean / 200 + cosine}
        return np.asarray(kinds[self.distance])


def knownness(revised: FloatArray, unknown: FloatArray) -> FloatArray:
    """Revised activations (B, K) and that of class K + 1 (B,) -> one number for both ways of being unknown."""
    ordered = np.sort(revised, axis=1)
    best = ordered[:, -1]
    rivals = logsumexp(np.concatenate([ordered[:, :-1], unknown[:, None]], axis=1))
    lowest = -np.log(np.float32(revised.shape[1]))
    return np.where(best > unknown, best - rivals, lowest + best - unknown)
