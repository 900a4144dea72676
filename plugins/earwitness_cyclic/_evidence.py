"""How unlikely lines are by chance: the exact null, and what stands in genuine sound kept out of it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from math import exp, log, pi, sqrt
from statistics import NormalDist
from typing import Self

import numpy as np
from numpy.typing import NDArray

from earwitness_cyclic._orders import NEIGHBOURHOOD, CyclicSpectra

Nats = NDArray[np.float64]
"""Evidence: exponential of mean 1 by chance, so that e^-x is the chance of x or more."""

SATURATION = 8.0
"""Nats that one line may bring: a lattice is many lines, never one strong one."""

LEAST_LINES = 3
"""Fewer are no lattice."""

CONTROLS = 35.0 * 4.0 ** ((np.arange(1, 129) * (5**0.5 - 1) / 2) % 1.0)
"""Spacings in Hz anywhere, a golden-ratio sequence from 35 to 140: what chance does in this very clip."""

LEAKAGE = 3
"""Bins on either side of a line that it reaches into, under a Hann window and with two bins to one over the length."""

OUTWEIGHS = 1 / 6
"""Levelled power, over the bins of its neighbourhood, from which a line is more than half of what sounds there: a note
or a whistle, not a trace. A line alone reaches a third, for a Hann window at half bins spreads it over three."""

TAILS = np.array([0.5, 0.1, 0.03])
"""Shares of the controls at whose quantiles their surprise is held against an exponential's."""

SKIRT = 4.0
"""How far under a neighbour a value lies on its skirt: a strong tone nearby is no evidence for a line here."""


@dataclass(frozen=True, slots=True)
class Lines:
    """The evidence at each frequency of one order.

    `values` (bins,) are NaN where nothing may be read; bin j lies at j x `step` Hz. `scale` is how much heavier
    chance's tail is in this clip than the exponential's.
    """

    values: Nats
    step: float
    scale: float = 1.0

    @classmethod
    def of(
        cls, spectra: CyclicSpectra, lowest: float = 0.0, hidden: Iterable[float] = (), notes_apart: bool = False
    ) -> Self:
        """The bands of a line taken together.

        Left out are what lies under `lowest` Hz, the multiples of the `hidden` spacings and, on demand, lines that
        outweigh all around them, as notes and whistles do.
        """
        power = spectra.power.astype(np.float64)
        values = power[0] if len(power) == 1 else surprise(power.sum(axis=0), np.array(len(power)))
        if notes_apart:
            values = np.where(power.mean(axis=0) > OUTWEIGHS * 2 * NEIGHBOURHOOD / spectra.step, np.nan, values)
        values = np.where(values < _summit(values) / SKIRT, np.minimum(values, 1.0), values)
        values[: int(lowest / spectra.step)] = np.nan
        lines = cls(values, spectra.step)
        for spacing in hidden:
            lines = lines.without(spacing)
        return lines

    def scaled(self) -> Self:
        """The same, held against its own controls."""
        controls = [weigh(self.at(spacing), np.ones((1, 1), bool)) for spacing in CONTROLS]
        heavier = np.quantile(controls, 1 - TAILS) / -np.log(TAILS)
        return replace(self, scale=max(1.0, float(heavier.max())))

    @property
    def limit(self) -> float:
        """The highest frequency in Hz."""
        return self.step * (len(self.values) - 1)

    def at(self, spacing: float) -> Nats:
        """(K,): the evidence of lines k = 1 ... K."""
        return self.values[self._bins(spacing)]

    def without(self, spacing: float) -> Self:
        """The same, but for the multiples of `spacing`."""
        near = np.add.outer(np.arange(-LEAKAGE, LEAKAGE + 1), self._bins(spacing))
        values = self.values.copy()
        values[np.minimum(near, len(values) - 1)] = np.nan
        return replace(self, values=values)

    def nats(self, spacing: float) -> float:
        """The surprise of the lattice of that spacing, combs within it guarded against."""
        lines = self.at(spacing)
        return weigh(lines, without_combs(len(lines))) / self.scale

    def _bins(self, spacing: float) -> NDArray[np.int64]:
        """(K,): the bins nearest k x spacing."""
        numbers = np.arange(1, int(self.limit / spacing) + 1)
        return np.asarray(np.rint(numbers * (spacing / self.step)), np.int64)


def surprise(total: Nats, count: NDArray[np.integer]) -> Nats:
    """-ln P(sum of `count` >= 1 Exp(1) >= total) = total - ln sum_{j < count} total^j / j!, elementwise.

    Sums of exponentials are Gamma variables; saturated ones are smaller, and so no less likely than this says.
    """
    total, j = np.maximum(total, 0.0), np.arange(int(count.max()))
    with np.errstate(divide="ignore", invalid="ignore"):  # of no total, whose logarithm no term needs
        powers = np.where(j == 0, 0.0, j * np.log(total)[..., np.newaxis])
    terms = np.where(j < count[..., np.newaxis], powers - _log_factorials(len(j)), -np.inf)
    surprises: Nats = total - np.logaddexp.reduce(terms, axis=-1)
    return surprises


def _summit(values: Nats) -> Nats:
    """(bins,): the largest value within the leakage of a line, by doubling."""
    reach = np.pad(values, LEAKAGE + 1, mode="edge")
    pairs = np.maximum(reach[1:], reach[:-1])
    fours = np.maximum(pairs[2:], pairs[:-2])
    return np.asarray(np.maximum(fours[4:], fours[:-4])[: len(values)])


@cache
def _log_factorials(count: int) -> Nats:
    """The logarithms of j! for j under `count`."""
    return np.cumsum(np.log(np.maximum(np.arange(count), 1)))


@cache
def without_combs(count: int) -> NDArray[np.bool_]:
    """(combs, count): for each prime q up to half of it, which of the lines 1 ... count are no multiples of q."""
    primes = [q for q in range(2, max(3, count // 2 + 1)) if all(q % d for d in range(2, q))]
    return np.asarray(np.arange(1, count + 1) % np.array(primes)[:, np.newaxis] != 0)


def weigh(lines: Nats, choices: NDArray[np.bool_]) -> float:
    """The surprise of lines 1 ... J, (J,), in nats: of the `choices` among them, (C, J), the weakest.

    A note held is a comb of lines, too, and by accident its fundamental may be the q-th line of a lattice. Weighed
    `without_combs`, that is without the multiples of each prime in turn, no such comb passes for a lattice.
    """
    kept = choices & ~np.isnan(lines)
    counts: NDArray[np.int64] = kept.sum(axis=1)
    if counts.min() < LEAST_LINES:
        return 0.0
    totals = np.where(kept, np.minimum(lines, SATURATION), 0.0).sum(axis=1)
    return float(surprise(totals, counts).min())


def deviate(nats: float) -> float:
    """The standard normal deviate whose upper tail is e^-nats."""
    if nats < 600:
        return -NormalDist().inv_cdf(min(exp(-nats), 1 - 1e-12))
    tail = 2 * nats - log(2 * pi)
    return sqrt(tail - log(tail))
