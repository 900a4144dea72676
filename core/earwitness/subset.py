"""The rows of a gallery without those of some sources."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from earwitness.contracts import Gallery
from earwitness.types import FloatArray, IntArray
from earwitness_registry.vectors import exact_search

__all__ = ["Subset"]


@dataclass(slots=True)
class Subset:
    """Rows in memory, searched one by one; fields as in `earwitness.contracts.Gallery`."""

    sources: tuple[str, ...]
    heads: FloatArray
    embeddings: FloatArray
    labels: IntArray
    clips: IntArray
    cells: IntArray

    @classmethod
    def without(cls, gallery: Gallery, left_out: frozenset[str]) -> Self:
        """What a gallery would be if some of its sources had never been enrolled."""
        kept = [k for k, source in enumerate(gallery.sources) if source not in left_out]
        rows = np.isin(gallery.labels, kept)
        return cls(
            tuple(gallery.sources[k] for k in kept),
            gallery.heads[kept],
            gallery.embeddings[rows],
            np.searchsorted(kept, gallery.labels[rows]),
            gallery.clips[rows],
            gallery.cells[rows],
        )

    def search(self, queries: FloatArray, k: int) -> tuple[FloatArray, IntArray]:
        """(B, d) -> cosine similarities (B, k'), best first, and their rows (B, k'), k' = min(k, N)."""
        return exact_search(self.embeddings, queries, min(k, len(self.embeddings)))
