"""Probabilities of sources: a softmax at the temperature that development clips ask for."""

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["fit_temperature", "softmax"]

Array = NDArray[np.float64]


def fit_temperature(values: Array, labels: NDArray[np.int64]) -> float:
    """T that minimises the cross-entropy of softmax(values / T), (n, K) and (n,).

    The loss is convex in 1 / T (Guo et al. 2017, arXiv 1706.04599); its slope is bisected. Targets hold one clip's
    worth of the uniform distribution, so that T stays finite and above 0 where every clip is named rightly.
    """
    count, classes = values.shape
    targets = np.full((count, classes), 1.0 / classes / (count + 1))
    targets[np.arange(count), labels] += count / (count + 1)
    low, high = -12.0, 12.0  # of log 1 / T
    if np.ptp(values, axis=1).max() == 0:
        return 1.0
    for _ in range(60):
        middle = (low + high) / 2
        slope = ((softmax(values * math.exp(middle)) - targets) * values).sum()
        low, high = (middle, high) if slope < 0 else (low, middle)
    return math.exp(-(low + high) / 2)


def softmax(logits: Array) -> Array:
    """Softmax over the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))
