"""Fitted frontends: those that learn from the frames of training clips."""

import numpy as np

from earwitness.contracts import FittedFrontend, Frontend
from earwitness.parts import Settled
from earwitness.testing.bench import Learner, expect_finite
from earwitness.testing.frontends import FrontendBench
from earwitness.testing.made import RATE, windows
from earwitness.types import FloatArray, State

__all__ = ["RULES", "FittedFrontendBench", "ready"]


class FittedFrontendBench(FrontendBench, Learner):
    """A fitted frontend that learned from other windows of two seconds, four clips of two windows each."""

    def fit(self) -> State:
        """What it learns from the frames of made-up windows."""
        state: State = self.part.fit([self.part(windows(8, 2.0)[at : at + 2], RATE) for at in range(0, 8, 2)])
        return state

    def hear(self, batch: FloatArray, rate: int) -> FloatArray:
        """(B, n) at a rate in Hz -> (B, frames, dims)."""
        features: FloatArray = self.part.features(self.state, self.part(batch, rate))
        return features

    def answer(self, batch: FloatArray) -> FloatArray:
        """(B, n) -> (B, frames, dims)."""
        return self.hear(batch, RATE)

    def answer_by(self, state: State, batch: FloatArray) -> FloatArray:
        """(B, n) -> (B, frames, dims), by another state."""
        features: FloatArray = self.part.features(state, self.part(batch, RATE))
        return features


def ready(frontend: Frontend, batch: FloatArray, rate: int) -> Frontend:
    """A frontend that gives features, once it is fitted to windows (B, n) if it learns."""
    if not isinstance(frontend, FittedFrontend):
        return frontend
    return Settled(frontend, "", frontend.fit([frontend(batch, rate)]))


def learns_from_little(bench: FittedFrontendBench) -> None:
    """Learns from a single window of a single sample too, and gives finite features by it."""
    state = bench.part.fit([bench.part(np.ones((1, 1), np.float32), RATE)])
    expect_finite(bench.answer_by(state, bench.batch), "by what it learned from one sample")


RULES = (learns_from_little,)
