"""Total variability: the few directions in which supervectors of clips vary, by expectation maximisation."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from earwitness.errors import OptionError

Array = NDArray[np.float64]

BLOCK = 128
"""Windows whose posteriors are held at once."""

EMPTY = 1e-10
"""Added to what a component's frames weigh, so that one without frames gets no directions."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Of windows: `counts` (N, C), and `sums` (N, C, dims) of frames about the means, over the deviations."""

    counts: Array
    sums: Array


@dataclass(frozen=True, slots=True)
class Variability:
    """`directions` (C, dims, R): a window's means lie at m + deviations * directions @ w, w standard normal.

    Kenny, Boulianne and Dumouchel, Eigenvoice modeling with sparse training data, IEEE TSAP 13(3), 2005; Dehak et al.,
    Front-end factor analysis for speaker verification, IEEE TASLP 19(4), 2011. With T_c the directions of component c,
    n_c and f_c a window's counts and sums,

        w | window ~ N(L^-1 b, L^-1),  L = I + sum_c n_c T_c' T_c,  b = sum_c T_c' f_c.
    """

    directions: Array

    @property
    def products(self) -> Array:
        """T_c' T_c, (C, R, R)."""
        return np.asarray(self.directions.transpose(0, 2, 1) @ self.directions)

    def improved(self, totals: Totals) -> tuple[Self, float]:
        """One step of EM, T_c = sum f_c E[w]' (sum n_c E[w w'])^-1, and how likely the directions before it were.

        The log-likelihood is the sum over windows of (b' L^-1 b - ln |L|) / 2, and what no directions change.
        """
        components, dims, factors = self.directions.shape
        weights, crosses, log_likelihood = (
            np.zeros((components, factors**2)),
            np.zeros((components * dims, factors)),
            0.0,
        )
        products = self.products
        for counts, sums in _blocks(totals):
            precisions = precision(counts, products)
            b = sums.reshape(len(sums), -1) @ self.directions.reshape(-1, factors)
            covariances = np.linalg.inv(precisions)
            means = np.einsum("nrs,ns->nr", covariances, b)
            seconds = covariances + means[:, :, None] * means[:, None]
            weights += counts.T @ seconds.reshape(len(seconds), -1)
            crosses += sums.reshape(len(sums), -1).T @ means
            log_likelihood += float((means * b).sum() - np.linalg.slogdet(precisions)[1].sum()) / 2
        square = weights.reshape(components, factors, factors) + EMPTY * np.eye(factors)
        crossed = crosses.reshape(components, dims, factors).transpose(0, 2, 1)
        directions = np.linalg.solve(square, crossed).transpose(0, 2, 1)
        return type(self)(np.asarray(directions, np.float64)), log_likelihood


def precision(counts: Array, products: Array) -> Array:
    """L = I + sum_c n_c T_c' T_c: (N, C) and (C, R, R) -> (N, R, R)."""
    return np.asarray(np.eye(products.shape[1]) + np.tensordot(counts, products, axes=1))


def fit_variability(totals: Totals, factors: int, steps: int) -> Variability:
    """Directions (C, dims, factors) from windows' totals, from small random ones by so many steps of EM.

    Raises:
        OptionError: No direction asked for.
    """
    if factors < 1:
        raise OptionError(f"{factors} directions tell no windows apart: ask for 1 or more")
    shape = (*totals.sums.shape[1:], factors)
    found = Variability(0.1 * np.random.default_rng(0).standard_normal(shape))
    for _ in range(steps):
        found, _ = found.improved(totals)
    return found


def _blocks(totals: Totals) -> Iterator[tuple[Array, Array]]:
    for at in range(0, len(totals.counts), BLOCK):
        rows = slice(at, at + BLOCK)
        yield totals.counts[rows], totals.sums[rows].astype(np.float64)
