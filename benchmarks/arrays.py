"""Enrolled rows in memory, for benchmarks that make many galleries."""

from dataclasses import dataclass

import numpy as np

from earwitness.types import FloatArray, IntArray


@dataclass
class ArrayGallery:
    """Rows (N, d) of `sources`, searched by brute force; fields as in `earwitness.contracts.Gallery`."""

    sources: tuple[str, ...]
    embeddings: FloatArray
    labels: IntArray
    clips: IntArray
    cells: IntArray

    def search(self, queries: FloatArray, k: int) -> tuple[FloatArray, IntArray]:
        """(B, d) -> the k nearest rows by cosine, best first."""
        cosines = queries @ self.embeddings.T
        order = np.argsort(-cosines, axis=1, kind="stable")[:, :k]
        return np.take_along_axis(cosines, order, axis=1), order.astype(np.int64)
