"""Frontends: windows of sound to features."""

import numpy as np

from earwitness.errors import OptionError
from earwitness.testing.bench import Bench, expect, expect_finite
from earwitness.testing.made import RATE, odd_sounds, windows
from earwitness.types import FloatArray

__all__ = ["RULES", "FrontendBench"]

RATES = (8000, 11025, 16000, 22050, 44100, 48000)


class FrontendBench(Bench):
    """A frontend with windows of a second at 16 kHz."""

    lively = windows(4)
    strange = odd_sounds(RATE)

    def hear(self, batch: FloatArray, rate: int) -> FloatArray:
        """(B, n) at a rate in Hz -> (B, frames, dims)."""
        features: FloatArray = self.part(batch, rate)
        return features

    def answer(self, batch: FloatArray) -> FloatArray:
        """(B, n) -> (B, frames, dims)."""
        return self.hear(batch, RATE)


def features_have_three_axes(bench: FrontendBench) -> None:
    """Gives float32 features (B, frames, dims), their dims the same for windows of any length."""
    dims = set()
    for length in (1, RATE // 4, RATE, 2 * RATE + 1):
        features = bench.answer(np.resize(bench.batch, (3, length)))
        expect(features.dtype == np.float32, f"features are {features.dtype}, not float32")
        expect(features.ndim == 3 and len(features) == 3, f"3 windows give features of shape {features.shape}")
        expect(features.size > 0, f"a window of {length} samples gives no feature")
        dims.add(features.shape[2])
    expect(len(dims) == 1, f"windows of several lengths give {sorted(dims)} dims")


def hears_any_rate(bench: FrontendBench) -> None:
    """Gives finite features at any rate from 8 to 48 kHz, or an OptionError that says which it takes."""
    for rate in RATES:
        try:
            features = bench.hear(windows(2, 0.5, rate), rate)
        except OptionError as refusal:
            expect(bool(str(refusal)), f"at {rate} Hz it gives an OptionError without a word")
        else:
            expect_finite(features, f"at {rate} Hz")


RULES = (features_have_three_axes, hears_any_rate)
