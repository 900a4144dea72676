"""What is odd about a row that no class has a part in: how thin others lie about it, and the axes of all rows."""

import numpy as np
from numpy.typing import NDArray

from earwitness.contracts import Gallery
from earwitness.types import FloatArray, IntArray
from earwitness_scorers.prototypes import blocks

Array = NDArray[np.float64]

NEAREST = 1e-4
"""The least cosine distance that isn't rounding."""
ASKED = 256
"""Queries whose neighbours are looked up at once."""


def density_ratios(gallery: Gallery, queries: FloatArray, k: int) -> FloatArray:
    """Cosine distance to the k-th nearest row over the mean of what it is from the k nearest themselves, (B,).

    Those see rows of other clips only: windows of one clip are near copies. It is the local outlier factor without
    its smoothing by reachability (Breunig et al., LOF: identifying density-based local outliers, SIGMOD 2000; Schubert
    et al., Local outlier detection reconsidered, Data Mining and Knowledge Discovery 28, 2014).
    """
    hits = k + int(np.bincount(gallery.clips).max())  # so that k are of other clips
    found = [_ratios(gallery, queries[at : at + ASKED], k, hits) for at in range(0, len(queries), ASKED)]
    return np.concatenate([np.empty(0, np.float32), *found])


def _ratios(gallery: Gallery, queries: FloatArray, k: int, hits: int) -> FloatArray:
    """The same for a block of queries, with `hits` asked for each neighbour."""
    similarities, rows = gallery.search(queries, k)  # (b, k')
    near, place = np.unique(rows, return_inverse=True)
    theirs = kth_of_other_clips(gallery, near, k, hits)[place.reshape(rows.shape)]
    return np.asarray(np.maximum(1 - similarities[:, -1], NEAREST) / theirs.mean(axis=1))


def kth_of_other_clips(gallery: Gallery, rows: IntArray, k: int, hits: int) -> FloatArray:
    """Cosine distance from enrolled rows (n,) to the k-th nearest of another clip; to the last, if fewer; or 1."""
    similarities, found = gallery.search(gallery.embeddings[rows], hits)
    strange = gallery.clips[found] != gallery.clips[rows][:, None]
    rank = np.cumsum(strange, axis=1)
    chosen = (strange & (rank == np.minimum(k, rank[:, -1:]))).argmax(axis=1)
    distances = 1 - similarities[np.arange(len(rows)), chosen]
    return np.asarray(np.where(rank[:, -1] > 0, np.maximum(distances, NEAREST), 1.0), np.float32)


def principal_axes(rows: FloatArray, share: float) -> tuple[Array, Array]:
    """The mean row (d,), and the fewest leading axes (d, q) that hold a share of all variance."""
    centre = rows.mean(axis=0, dtype=np.float64)
    parts = (rows[part] - centre for part in blocks(*rows.shape))
    variances, axes = np.linalg.eigh(sum(part.T @ part for part in parts))  # ascending
    held = np.cumsum(variances[::-1])
    count = int(np.searchsorted(held, share * held[-1])) + 1 if held[-1] > 0 else 0
    return centre, axes[:, len(axes) - count :]
