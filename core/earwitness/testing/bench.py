"""A part at work: made-up input for it, its answers, and how rules say what they expected."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from earwitness.plugins import Catalogue
from earwitness.testing.made import SHAPE, features, odd_features
from earwitness.types import FloatArray, State

__all__ = [
    "TOLERANCE",
    "Bench",
    "Fed",
    "Learner",
    "Offer",
    "RuleError",
    "agree",
    "expect",
    "expect_finite",
    "last_line",
]

TOLERANCE = 1e-4


@dataclass(frozen=True)
class Offer:
    """What a plugin offers under a name: a class, a pipeline's text or a card; the catalogue holds all others.

    `pipelines` are the names of those that its distribution offers.
    """

    kind: str
    name: str
    value: Any
    catalogue: Catalogue
    pipelines: tuple[str, ...] = ()


class Bench(ABC):
    """A part with input of its kind to answer: windows, features or unit vectors, a row each.

    `lively` (B, ...) is what it may well get, `strange` what it should not stumble over, one row each; rules ask with
    copies of them, `batch` and `odd`, for a part may write to what it gets. From `made_of` another process makes it.
    """

    lively: FloatArray
    strange: Mapping[str, FloatArray]

    def __init__(self, part: Any) -> None:
        self.part = part
        self.made_of: tuple[Any, ...] = (part,)

    @abstractmethod
    def answer(self, batch: FloatArray) -> FloatArray:
        """(B, ...) -> what it gives for them."""

    @property
    def batch(self) -> FloatArray:
        """The lively input, (B, ...)."""
        return self.lively.copy()

    @property
    def odd(self) -> dict[str, FloatArray]:
        """The odd input by name, (1, ...) each."""
        return {name: row.copy() for name, row in self.strange.items()}

    @property
    def companions(self) -> FloatArray:
        """The odd input as long as the lively, (B', ...)."""
        return np.concatenate([row for row in self.strange.values() if row.shape[1:] == self.lively.shape[1:]])


class Learner(Bench):
    """A part that answers by what it has learned from made-up material, the same in every process."""

    @abstractmethod
    def fit(self) -> State:
        """What it learns."""

    @abstractmethod
    def answer_by(self, state: State, batch: FloatArray) -> FloatArray:
        """(B, ...) -> what it gives for them, by a state of its own or one that was read back."""

    @cached_property
    def state(self) -> State:
        """What it has learned once."""
        return self.fit()

    def answer(self, batch: FloatArray) -> FloatArray:
        """(B, ...) -> what it gives for them."""
        return self.answer_by(self.state, batch)


class Fed(Bench):
    """An embedder, with windows of so many (frames, dims)."""

    def __init__(self, part: Any, shape: tuple[int, int] = SHAPE) -> None:
        super().__init__(part)
        self.made_of, self.shape = (part, shape), shape
        self.lively, self.strange = features(5, shape), odd_features(shape)


class RuleError(AssertionError):
    """A rule is broken; the text says how."""


def expect(held: bool, why: str) -> None:
    """Raise RuleError with the reason unless the rule held; `assert` says nothing under `python -O`."""
    if not held:
        raise RuleError(why)


def expect_finite(array: FloatArray, what: str) -> None:
    """Raise RuleError unless all figures are finite."""
    wrong = int(np.count_nonzero(~np.isfinite(array)))
    expect(wrong == 0, f"{what}: {wrong} of {array.size} figures are not finite")


def last_line(text: str) -> str:
    """What a traceback comes down to."""
    return text.strip().rpartition("\n")[2]


def agree(found: FloatArray, expected: FloatArray, what: str) -> None:
    """Raise RuleError unless two answers are the same to 1e-4 of each column's largest magnitude."""
    expect(found.shape == expected.shape, f"{what}: shape {found.shape}, not {expected.shape}")
    rows, wanted = (array.reshape(-1, expected.shape[-1]).astype(np.float64) for array in (found, expected))
    largest = np.abs(wanted).max(axis=0, initial=0.0)
    off = np.abs(rows - wanted) / np.maximum(largest, 1e-6 * largest.max(initial=1e-12))
    worst = off.max(initial=0.0)
    expect(bool(worst <= TOLERANCE), f"{what}: off by {worst:.1g} of the largest figure")
