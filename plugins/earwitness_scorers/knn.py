"""Nearest references."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from earwitness.contracts import Gallery
from earwitness.types import FloatArray, IntArray, Scores, State
from earwitness_scorers.prototypes import source_means

BLOCK = 256
"""Queries ranked at once: bounds the memory at BLOCK x hits."""


@dataclass(frozen=True, slots=True)
class NearestNeighbours:
    """Unknown when the k-th nearest reference is too far.

    Knownness is the cosine to the k-th nearest row of all, k = min(`k`, n_c / 2) with n_c the rows of the source
    that owns the nearest one: no source is asked for more neighbours than half its rows. A source's value is
    `scale` times the mean cosine to its own k nearest rows. They are looked for among the `hits` nearest rows of
    the index; what a source lacks there is filled by its mean cosine, which no hit would undercut: so every
    value is exact for up to `hits` rows, and beyond that for the sources near enough to matter.

    Source: Sun et al. 2022, Out-of-Distribution Detection with Deep Nearest Neighbors (arXiv 2204.06507).
    """

    name: ClassVar[str] = "knn"
    k: int = 5
    hits: int = 512
    scale: float = 30.0

    def fit(self, gallery: Gallery) -> State:
        """The mean row of each source, (K, d), and how many neighbours it is asked for, (K,)."""
        counts = np.bincount(gallery.labels, minlength=len(gallery.sources))
        return {"means": source_means(gallery), "neighbours": np.clip(counts // 2, 1, self.k)}

    def score(self, state: State, gallery: Gallery, queries: FloatArray) -> Scores:
        """(B, d) -> scaled mean cosines (B, K), cosine to the k-th nearest (B,)."""
        values = np.empty((len(queries), len(gallery.sources)), np.float32)
        knownness = np.empty(len(queries), np.float32)
        for start in range(0, len(queries), BLOCK):
            block = slice(start, start + BLOCK)
            similarities, rows = gallery.search(queries[block], max(self.hits, self.k))  # (b, hits)
            labels = gallery.labels[rows]
            kth = np.minimum(state["neighbours"][labels[:, 0]], rows.shape[1]) - 1
            knownness[block] = np.take_along_axis(similarities, kth[:, None], axis=1)[:, 0]
            filling = np.minimum(queries[block] @ state["means"].T, similarities[:, -1:])  # (b, K)
            values[block] = self.scale * nearest_means(similarities, labels, state["neighbours"], filling)
        return Scores(values, knownness)


def nearest_means(similarities: FloatArray, labels: IntArray, neighbours: IntArray, filling: FloatArray) -> FloatArray:
    """Mean of each source's best `neighbours` (K,) hits, (b, hits) best first -> (b, K), gaps from `filling`."""
    order = np.argsort(labels, axis=1, kind="stable")
    grouped = np.take_along_axis(labels, order, axis=1)
    place = np.broadcast_to(np.arange(grouped.shape[1]), grouped.shape)
    opens = np.diff(grouped, axis=1, prepend=-1) != 0
    rank = place - np.maximum.accumulate(np.where(opens, place, 0), axis=1)  # within its source
    kept = rank < neighbours[grouped]
    cells = (np.arange(len(grouped))[:, None] * len(neighbours) + grouped)[kept]
    best = np.take_along_axis(similarities, order, axis=1)[kept]
    sums = np.bincount(cells, best, minlength=filling.size).reshape(filling.shape)
    counts = np.bincount(cells, minlength=filling.size).reshape(filling.shape)
    return np.asarray((sums + (neighbours - counts) * filling) / neighbours, np.float32)
