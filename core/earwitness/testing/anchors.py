"""Anchors: embedders that learn from the frames of labelled clips how well a window fits each class."""

import numpy as np

from earwitness.testing.bench import Fed, Learner, expect, expect_finite
from earwitness.types import FloatArray, IntArray, State

__all__ = ["RULES", "AnchorBench"]

CLASSES, CLIPS, WINDOWS = 3, 4, 2


class AnchorBench(Fed, Learner):
    """Anchors with clips of three classes, four clips of two windows each."""

    @property
    def labels(self) -> IntArray:
        """The classes of the clips, (clips,)."""
        return np.repeat(np.arange(CLASSES), CLIPS)

    @property
    def clips(self) -> FloatArray:
        """Made-up windows (clips, B, frames, dims), of classes that overlap frame by frame."""
        rng = np.random.default_rng(1)
        shifts = 0.5 * rng.standard_normal((CLASSES, 1, 1, self.shape[1]))
        noise = rng.standard_normal((CLASSES * CLIPS, WINDOWS, *self.shape))
        return np.asarray(noise + shifts[self.labels], np.float32)

    def fit(self) -> State:
        """What it learns from made-up clips."""
        state: State = self.part.fit_frames(self.clips, self.labels)
        return state

    def answer_by(self, state: State, batch: FloatArray) -> FloatArray:
        """(B, frames, dims) -> (B, classes)."""
        vectors: FloatArray = self.part.embed(state, batch)
        return vectors


def the_class_of_a_clip_fits_it_best(bench: AnchorBench) -> None:
    """Gives a figure for each class it learned from, and of these clips the largest for their own."""
    vectors = bench.answer(np.concatenate(list(bench.clips)))
    expect(vectors.shape[1] == CLASSES, f"of {CLASSES} classes it gives {vectors.shape[1]} figures")
    missed = int(np.count_nonzero(vectors.argmax(axis=1) != np.repeat(bench.labels, WINDOWS)))
    expect(missed == 0, f"{missed} of {len(vectors)} windows that it learned from fit another class better")


def learns_from_one_frame(bench: AnchorBench) -> None:
    """Learns from one frame of one class too, and gives finite figures by it."""
    state = bench.part.fit_frames(bench.clips[:1, :1, :1], bench.labels[:1])
    expect_finite(bench.answer_by(state, bench.batch), "by what it learned from one frame")


RULES = (the_class_of_a_clip_fits_it_best, learns_from_one_frame)
