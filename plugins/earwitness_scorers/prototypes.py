"""What several rules share: a direction for each source, and sums over the cosine logits against them."""

from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from earwitness.contracts import Gallery
from earwitness.types import FloatArray, IntArray

Logits = Literal["prototypes", "head"]
"""Whether a source's logit is by the mean of its rows, or by what a trained head learned of it."""

CELLS = 1 << 22
"""Numbers held at once of an array too large to be held whole."""


def blocks(rows: int, columns: int) -> Iterator[slice]:
    """Slices over the rows of a (rows, columns) array, each of at most CELLS numbers or one row."""
    step = max(1, CELLS // columns)
    return (slice(start, start + step) for start in range(0, rows, step))


def rows_by_source(gallery: Gallery) -> list[IntArray]:
    """The numbers of the rows of each source, K arrays."""
    ends = np.cumsum(np.bincount(gallery.labels, minlength=len(gallery.sources)))
    return np.split(np.argsort(gallery.labels, kind="stable"), ends[:-1])


def source_means(gallery: Gallery) -> FloatArray:
    """The mean row of each source, (K, d); not unit."""
    of_source = rows_by_source(gallery)
    sums = np.stack([gallery.embeddings[rows].sum(axis=0, dtype=np.float64) for rows in of_source])
    counts = np.array([[max(len(rows), 1)] for rows in of_source])
    return np.asarray(sums / counts, np.float32)


def prototypes(gallery: Gallery) -> FloatArray:
    """The direction of each source, (K, d) unit; zero where its rows cancel out."""
    means = source_means(gallery)
    lengths = np.linalg.norm(means, axis=1, keepdims=True)
    return np.asarray(means / np.maximum(lengths, np.finfo(np.float32).tiny))


def directions(gallery: Gallery, logits: Logits) -> FloatArray:
    """What logits are cosines to, (K, d) unit: prototypes, or the directions that a trained head learned.

    A head answers only while it knows all sources: clips lie nearer to the mean of rows than to a direction learned, so
    that beside heads a source enrolled later, with its prototype, would take the clips of all.
    """
    known = logits == "head" and gallery.heads.any(axis=1).all()
    return gallery.heads if known else prototypes(gallery)


def logsumexp(values: FloatArray) -> FloatArray:
    """Log of the sum of exp over the sources, (B, K) -> (B,)."""
    top = values.max(axis=1, keepdims=True)
    return np.asarray(top[:, 0] + np.log(np.exp(values - top).sum(axis=1)), np.float32)


def log_probabilities(logits: FloatArray, least: float) -> NDArray[np.float64]:
    """Log of the softmax, (B, K) -> (B, K), which tells how far from 0 it is even where the largest P rounds to 1.

    With one source P is always 1: then the column of a rival with the logit `least` stands beside it, (B, 2).
    """
    if logits.shape[1] == 1:
        logits = np.concatenate([logits, np.full_like(logits, least)], axis=1)
    best = logits.argmax(axis=1)[:, None]
    gaps = logits - np.take_along_axis(logits, best, axis=1).astype(np.float64)
    odds = np.exp(gaps)
    np.put_along_axis(odds, best, 0.0, axis=1)
    return np.asarray(gaps - np.log1p(odds.sum(axis=1, keepdims=True)))
