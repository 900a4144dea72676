"""What several rules share: the mean row of each source, and cosine logits against it."""

import numpy as np

from earwitness.contracts import Gallery
from earwitness.types import FloatArray


def source_means(gallery: Gallery) -> FloatArray:
    """The mean row of each source, (K, d); not unit."""
    sums = np.zeros((len(gallery.sources), gallery.embeddings.shape[1]))
    np.add.at(sums, gallery.labels, gallery.embeddings)
    counts = np.bincount(gallery.labels, minlength=len(sums))
    return (sums / np.maximum(counts, 1)[:, None]).astype(np.float32)


def prototypes(gallery: Gallery) -> FloatArray:
    """The direction of each source, (K, d) unit; zero where its rows cancel out."""
    means = source_means(gallery)
    lengths = np.linalg.norm(means, axis=1, keepdims=True)
    return np.asarray(means / np.maximum(lengths, np.finfo(np.float32).tiny))


def logsumexp(values: FloatArray) -> FloatArray:
    """Log of the sum of exp over the sources, (B, K) -> (B,)."""
    top = values.max(axis=1, keepdims=True)
    return np.asarray(top[:, 0] + np.log(np.exp(values - top).sum(axis=1)), np.float32)
