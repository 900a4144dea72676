"""One Gaussian a source under a covariance that all share: what the rules by squared distance have in common."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from earwitness.contracts import Gallery
from earwitness.types import FloatArray
from earwitness_scorers.prototypes import blocks, source_means

Array = NDArray[np.float64]

NO_SCATTER = 1e-6
"""Mean variance a dimension under which rows of a source count as equal."""


def tied_gaussians(gallery: Gallery, dims: int, scale: float) -> tuple[Array, Array]:
    """Means of the sources (K, p) where they scatter evenly, and the way there (d, p).

    The covariance is that of the rows about their sources' means, shrunk after Ledoit and Wolf. With fewer than ten
    rows a dimension, rows are first projected on the leading min(`dims`, N / 4) principal axes of all of them, taken
    about the origin: so they hold the direction of a lone source. Where the rows of a source don't scatter at all
    (one row each), the covariance is I / `scale`, which makes minus half a squared distance between unit vectors the
    cosine logit `scale` (cos - 1).
    """
    means = source_means(gallery).astype(np.float64)
    spread = sum(np.square(part).sum() for part in _residuals(gallery, means))
    if spread < NO_SCATTER * gallery.embeddings.size:
        whitener = np.sqrt(scale) * np.eye(means.shape[1])
    else:
        axes = _axes(gallery.embeddings, dims)
        whitener = axes @ inverse_root(ledoit_wolf(part @ axes for part in _residuals(gallery, means)))
    return means @ whitener, whitener


def _residuals(gallery: Gallery, means: Array) -> Iterator[Array]:
    """Rows about the mean of their source, a block at a time."""
    for part in blocks(*gallery.embeddings.shape):
        yield gallery.embeddings[part] - means[gallery.labels[part]]


def _axes(rows: FloatArray, dims: int) -> Array:
    """The axes that so many rows can bear, (d, p)."""
    count, d = rows.shape
    if count >= 10 * d:
        return np.eye(d)
    kept = max(1, min(dims, count // 4, d))
    if count < d:  # the same axes, without a matrix of d x d
        return np.asarray(np.linalg.svd(rows.astype(np.float64), full_matrices=False)[2][:kept].T)
    parts = (rows[part].astype(np.float64) for part in blocks(count, d))
    _, axes = np.linalg.eigh(sum(part.T @ part for part in parts))  # ascending
    return np.asarray(axes[:, -kept:])


def ledoit_wolf(parts: Iterable[Array]) -> Array:
    """The covariance of centred rows (N, p), given in parts, drawn towards a multiple of the identity, (p, p).

    (1 - b/d) S + (b/d) m I, m = tr S / p, d = |S - m I|^2, b = min(d, mean |x x' - S|^2 / N); Frobenius norms.

    Source: Ledoit and Wolf, A well-conditioned estimator for large-dimensional covariance matrices, J. Multivariate
    Analysis 88, 2004.
    """
    count, products, fourth = 0, np.zeros(()), 0.0
    for rows in parts:
        count, products = count + len(rows), products + rows.T @ rows
        fourth += float(np.square(np.square(rows).sum(axis=1)).sum())
    sample = products / count
    target = np.trace(sample) / len(sample) * np.eye(len(sample))
    apart = np.square(sample - target).sum()
    noise = (fourth / count - np.square(sample).sum()) / count
    weight = min(1.0, noise / apart) if apart > 0 else 0.0
    return np.asarray((1 - weight) * sample + weight * target)


def inverse_root(covariance: Array) -> Array:
    """A (p, p) with A A' the inverse; directions without variance are held at NO_SCATTER."""
    variances, axes = np.linalg.eigh(covariance)
    return np.asarray(axes / np.sqrt(np.maximum(variances, NO_SCATTER)))


def squared_distances(points: FloatArray, others: FloatArray) -> Array:
    """(B, p) and (K, p) -> (B, K)."""
    a, b = points.astype(np.float64), others.astype(np.float64)
    return np.asarray(np.maximum(np.square(a).sum(1)[:, None] - 2 * a @ b.T + np.square(b).sum(1), 0.0))
