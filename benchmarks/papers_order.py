"""Whether an ordering that a paper found is found here: pairs of rows, Kendall's tau-b, and a verdict.

Of all pairs of rows whose published figures differ, some stand in the same order here, some reversed, some level.
Kendall's tau-b (1945, The treatment of ties in ranking problems) is the share of the same less that of the reversed,
corrected for ties. Two figures are *told apart* where the interval of their difference, drawn clip by clip, leaves out
0, or where that can't be had their own intervals don't overlap; times and sizes have no intervals, so any difference
tells them apart. Only pairs told apart bear a verdict:

- no pair is told apart: it *can't be told*;
- none of those told apart stands reversed: the ordering *held*;
- at most a quarter of them does: it *held in the main*;
- more do: it *did not hold*.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

from earwitness.evaluation.intervals import interval
from earwitness.types import FloatArray

__all__ = ["Figure", "Order", "order_of"]

UNTOLD = "can't be told"
MOST = 0.25
"""The share of pairs told apart that may stand reversed where an ordering held in the main."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A published figure beside ours, that lies between `low` and `high`; `drawn` is ours in draws of the clips."""

    published: float
    ours: float
    low: float
    high: float
    drawn: FloatArray | None = field(default=None, compare=False)

    def apart(self, other: "Figure") -> bool:
        """Whether our two figures differ by more than the interval of their difference, or, undrawn, than their own."""
        if self.drawn is None or other.drawn is None:
            return self.low > other.high or self.high < other.low
        low, high = interval((self.drawn - other.drawn).tolist())
        return low > 0 or high < 0


@dataclass(frozen=True, slots=True)
class Order:
    """How many pairs of rows there are, stand as published or reversed, and are told apart in either way.

    `tau` is Kendall's tau-b, NaN where all figures of one side are level.
    """

    pairs: int
    same: int
    turned: int
    same_apart: int
    turned_apart: int
    tau: float

    @property
    def verdict(self) -> str:
        """What has become of the ordering."""
        apart = self.same_apart + self.turned_apart
        if not apart:
            return UNTOLD
        if not self.turned_apart:
            return "held"
        return "held in the main" if self.turned_apart <= MOST * apart else "did not hold"

    @property
    def sentence(self) -> str:
        """The verdict with all it rests on."""
        opening = f"**The ordering {self.verdict}**"
        if self.verdict == UNTOLD:
            opening = "**Whether the ordering held can't be told**, as no two of ours differ by more than the interval"
        rows = f"{self.pairs} {'pair' if self.pairs == 1 else 'pairs'} of rows whose published figures differ"
        same = f"{self.same} in the same order with us ({self.same_apart} by more than the interval)"
        tau = "" if math.isnan(self.tau) else f"; Kendall's tau-b {self.tau:.2f}"
        return f"{opening}: of {rows}, {same}, {self.turned} reversed ({self.turned_apart}){tau}."


def order_of(figures: Sequence[Figure]) -> Order:
    """Compare the order of published figures with that of ours."""
    pairs = list(combinations(figures, 2))
    differing = [(a, b) for a, b in pairs if a.published != b.published]
    same = [(a, b) for a, b in differing if (a.published - b.published) * (a.ours - b.ours) > 0]
    turned = [(a, b) for a, b in differing if (a.published - b.published) * (a.ours - b.ours) < 0]
    ours = sum(a.ours != b.ours for a, b in pairs)
    return Order(
        pairs=len(differing),
        same=len(same),
        turned=len(turned),
        same_apart=sum(a.apart(b) for a, b in same),
        turned_apart=sum(a.apart(b) for a, b in turned),
        tau=(len(same) - len(turned)) / math.sqrt(len(differing) * ours) if differing and ours else math.nan,
    )
