"""The enrolled rows of one space, as scorers see them."""

import sqlite3
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from earwitness_registry.index import Rows, SpaceIndex
from earwitness_registry.models import space_row
from earwitness_registry.store import stamp
from earwitness_registry.vectors import FloatArray, IntArray, exact_search, finite_rows

SMALL = 4096  # rows that NumPy searches sooner than FAISS can be imported


@dataclass(slots=True, eq=False)
class Gallery:
    """The rows of one space at one moment; later changes to the registry make another gallery.

    `sources` are the K ids with a row, sorted; `heads` (K, d) are zero, for a model's owner to fill in; `labels` (N,)
    indexes into the sources; `clips` (N,) into `paths`. `cells` (N,) number the pairs of source and cell, so that no
    cell has rows of two sources; the clips of a source that are of no cell make one of their own.
    """

    sources: tuple[str, ...]
    heads: FloatArray
    rows: Rows
    labels: IntArray
    clips: IntArray
    cells: IntArray
    paths: tuple[str, ...]
    index: SpaceIndex

    @property
    def embeddings(self) -> FloatArray:
        """(N, d) unit, float32, C-contiguous, read-only."""
        return self.rows.embeddings

    def search(self, queries: ArrayLike, k: int) -> tuple[FloatArray, IntArray]:
        """The rows nearest to each query.

        Exact up to 4,096 rows and with a 'Flat' index. Another index may miss a near row: it proposes 2k rows,
        and their true similarities choose among them.

        Args:
            queries: (B, d), finite.
            k: How many.

        Returns:
            Cosine similarities (B, k'), best first, and row numbers (B, k'), k' = min(k, N).

        Raises:
            SpaceMismatchError: Queries of another dimension.
            RegistryError: A query with NaN or infinity.
        """
        checked = finite_rows(queries, self.embeddings.shape[1])
        total = len(self.embeddings)
        k = min(k, total)
        if not k or total <= SMALL:
            return exact_search(self.embeddings, checked, k)
        if self.index.factory == "Flat":
            found = self.index.search(self.rows, checked, k)
        else:
            found = self._search_proposed(checked, k)
        if found is None:
            return exact_search(self.embeddings, checked, k)
        similarities, ids = found
        return similarities, np.searchsorted(self.rows.ids, ids)

    def _search_proposed(self, queries: FloatArray, k: int) -> tuple[FloatArray, IntArray] | None:
        """The k best ids by true similarity of those an index proposes; None when it proposes too few."""
        proposed = self.index.search(self.rows, queries, 2 * k)
        if proposed is None:
            return None
        ids = proposed[1]  # (B, 2k), -1 where there is none
        rows = np.searchsorted(self.rows.ids, np.maximum(ids, self.rows.ids[0]))
        similarities = np.einsum("bd,bkd->bk", queries, self.embeddings[rows])
        similarities[ids < 0] = -np.inf
        order = np.argsort(-similarities, axis=1, kind="stable")[:, :k]
        best = np.take_along_axis(ids, order, axis=1)
        return None if (best < 0).any() else (np.take_along_axis(similarities, order, axis=1), best)

    def reference(self, row: int) -> tuple[str, str]:
        """The source and the clip's path behind a row."""
        return self.sources[self.labels[row]], self.paths[self.clips[row]]


def read_gallery(db: sqlite3.Connection, space: str, index: SpaceIndex) -> Gallery:
    """The gallery of a space as it stands in this transaction."""
    _, dimension, revision = space_row(db, space)
    rows = db.execute("SELECT id, clip, vector FROM embeddings WHERE space = ? ORDER BY id", (space,)).fetchall()
    query = """SELECT id, path, source, cell FROM clips
        WHERE id IN (SELECT clip FROM embeddings WHERE space = ?) ORDER BY id"""
    clips = db.execute(query, (space,)).fetchall()
    pairs = [(source, cell) for _, _, source, cell in clips]
    sources = sorted({source for source, _ in pairs})
    labels = _places(sources, [source for source, _ in pairs])
    cells = _places(dict.fromkeys(pairs), pairs)
    of_row = _places([clip for clip, _, _, _ in clips], [clip for _, clip, _ in rows])
    paths = tuple(path for _, path, _, _ in clips)
    embeddings = np.frombuffer(b"".join(vector for _, _, vector in rows), np.float32).reshape(-1, dimension)
    ids = np.array([row for row, _, _ in rows], np.int64)
    held = Rows(ids, embeddings, revision, stamp(db, space))
    heads = np.zeros((len(sources), dimension), np.float32)
    return Gallery(tuple(sources), heads, held, labels[of_row], of_row, cells[of_row], paths, index)


def _places(order: Iterable[Hashable], keys: Iterable[Hashable]) -> IntArray:
    """Where each key stands in an order that has each once."""
    place = {key: at for at, key in enumerate(order)}
    return np.array([place[key] for key in keys], np.int64)
