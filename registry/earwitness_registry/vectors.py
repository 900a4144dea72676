"""Unit vectors: the check on the way in, and exact search, the yardstick of every index."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from earwitness_registry.errors import RegistryError, SpaceMismatchError

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

UNIT_TOLERANCE = 1e-3
BLOCK = 1 << 24  # similarities held at once by exact search: 64 MB


def finite_rows(vectors: ArrayLike, dimension: int) -> FloatArray:
    """`vectors` as a C-contiguous float32 (B, dimension).

    Raises:
        SpaceMismatchError: Another dimension.
        RegistryError: A NaN or an infinity.
    """
    rows = np.ascontiguousarray(vectors, dtype=np.float32)
    if rows.ndim != 2 or rows.shape[1] != dimension:
        raise SpaceMismatchError(
            f"vectors of shape {rows.shape} met a space of dimension {dimension}: use the model that is in the registry"
        )
    if not np.isfinite(rows).all():
        raise RegistryError("a vector holds NaN or infinity: check the clip and the network that made it")
    return rows


def unit_rows(vectors: ArrayLike, dimension: int) -> FloatArray:
    """Like `finite_rows`, and of length one within 1e-3.

    Raises:
        SpaceMismatchError: Another dimension.
        RegistryError: A vector that isn't finite, or isn't of length one.
    """
    rows = finite_rows(vectors, dimension)
    lengths = np.linalg.norm(rows, axis=1)
    if (np.abs(lengths - 1) > UNIT_TOLERANCE).any():
        raise RegistryError(f"a vector of length {lengths.max():.4g} isn't unit: divide embeddings by their length")
    return rows


def exact_search(embeddings: FloatArray, queries: FloatArray, k: int) -> tuple[FloatArray, IntArray]:
    """Search by computing every similarity.

    Args:
        embeddings: (N, d) unit rows.
        queries: (B, d).
        k: At most N.

    Returns:
        Inner products (B, k), best first, and their rows (B, k).
    """
    if not k or not len(queries):
        return np.empty((len(queries), k), np.float32), np.empty((len(queries), k), np.int64)
    block = max(1, BLOCK // len(embeddings))
    found = [_best(queries[at : at + block] @ embeddings.T, k) for at in range(0, len(queries), block)]
    return np.concatenate([values for values, _ in found]), np.concatenate([rows for _, rows in found])


def _best(similarities: FloatArray, k: int) -> tuple[FloatArray, IntArray]:
    """The k largest of each line, (B, N) -> (B, k) twice, best first, equals in order of rows."""
    total = similarities.shape[1]
    rows = np.sort(np.argpartition(similarities, total - k, axis=1)[:, total - k :], axis=1)
    values = np.take_along_axis(similarities, rows, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")
    return np.take_along_axis(values, order, axis=1), np.take_along_axis(rows, order, axis=1)
