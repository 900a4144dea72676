"""Fitted embedders: those that learn in closed form."""

import numpy as np

from earwitness.testing.bench import Fed, Learner, agree
from earwitness.testing.made import features
from earwitness.types import FloatArray, State

__all__ = ["RULES", "FittedBench"]

CLASSES, CELLS, ROWS = 3, 2, 8


class FittedBench(Fed, Learner):
    """A fitted embedder with windows of three classes in two voices each."""

    def fit(self) -> State:
        """What it learns from made-up windows."""
        cells = np.repeat(np.arange(CLASSES * CELLS), ROWS)
        labels = cells // CELLS
        shifts = np.random.default_rng(1).standard_normal((CLASSES, 1, self.shape[1]))
        windows = (features(len(cells), self.shape, seed=2) + 2 * shifts[labels]).astype(np.float32)
        state: State = self.part.fit(windows, labels, cells)
        return state

    def answer_by(self, state: State, batch: FloatArray) -> FloatArray:
        """(B, frames, dims) -> (B, d)."""
        vectors: FloatArray = self.part.embed(state, batch)
        return vectors


def reads_only_the_mean_of_a_window(bench: Learner) -> None:
    """Reads of a window only the mean of its frames, so that windows of any length can be put together."""
    batch = bench.batch
    ripple = np.random.default_rng(3).standard_normal(batch.shape).astype(np.float32)
    rippled = np.concatenate([batch + ripple, batch - ripple], axis=1)
    agree(bench.answer(rippled), bench.answer(batch), "with other frames of the same mean")


RULES = (reads_only_the_mean_of_a_window,)
