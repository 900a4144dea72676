"""`quantisation`: traces of a converter's steps."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from earwitness.types import FloatArray

MOST_BITS = 24.0
"""Steps finer than this are rounding."""


@dataclass(frozen=True, slots=True)
class Quantisation:
    """How coarse the samples of a window are, in four values.

        share of samples that repeat the one before;
        share of the commonest value, which in digital silence is that of exact zeros;
        log2 of the number of values that occur;
        log2 of the range over the least step between values that occur, 24 at most.

    None of them hears a gain or an offset, so that the zeros of a recording are known when its mean was removed; the
    offset itself is gone by then. Resampling and dither wipe these traces out, editing fakes them: they are evidence to
    be asked for by name.
    """

    name: ClassVar[str] = "quantisation"

    def __call__(self, samples: FloatArray, rate: int) -> FloatArray:  # noqa: ARG002
        """(B, n) -> (B, 1, 4)."""
        return np.stack([_steps(window) for window in samples])[:, None]


def _steps(window: FloatArray) -> FloatArray:
    """(n,) -> (4,)."""
    values, counts = np.unique(window, return_counts=True)
    repeats = np.count_nonzero(window[1:] == window[:-1]) / max(1, len(window) - 1)
    steps = np.diff(values.astype(np.float64))
    depth = np.log2(steps.sum() / steps.min()) if len(steps) else 0.0
    return np.array([repeats, counts.max() / len(window), np.log2(len(values)), min(depth, MOST_BITS)], np.float32)
