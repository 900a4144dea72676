"""The two-parameter Weibull distribution, by maximum likelihood."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

FEWEST = 3
"""Distances under which a tail is no distribution."""


def fit_weibull(distances: Array) -> tuple[float, float]:
    """Shape k and scale l of F(x) = 1 - exp(-(x / l)^k); (1, inf), so F = 0, where nothing can be learned.

    The shape is the root of sum(x^k log x) / sum(x^k) - 1/k - mean(log x), which rises with k: by Newton's
    method from the moments of log x. Then l^k = mean(x^k). Source: Cohen 1965, Technometrics 7(4).
    """
    largest = distances.max(initial=0.0)
    logs = np.log(np.maximum(distances, 1e-12) / max(largest, 1e-12))  # <= 0: no overflow in x^k
    if len(distances) < FEWEST or logs.std() < 1e-6:
        return 1.0, np.inf
    shape = np.pi / np.sqrt(6) / logs.std()
    for _ in range(100):
        weights = np.exp(shape * logs)
        weights /= weights.sum()
        mean = weights @ logs
        slope = weights @ np.square(logs) - mean**2 + shape**-2
        step = (mean - 1 / shape - logs.mean()) / slope
        shape = max(shape - step, shape / 2)  # stays positive
        if abs(step) < 1e-10 * shape:
            break
    return float(shape), float(largest * np.exp(shape * logs).mean() ** (1 / shape))


def weibull_cdf(distances: Array, shapes: Array, scales: Array) -> Array:
    """F of (B, K) distances under K distributions."""
    with np.errstate(over="ignore"):  # far beyond the tail: exp(-inf) = 0 is right
        return np.asarray(-np.expm1(-((np.maximum(distances, 0.0) / scales) ** shapes)))
