"""From one sampling rate to another, as one stream."""

from dataclasses import replace

import numpy as np
import soxr

from earwitness.types import Clip, FloatArray

__all__ = ["Resampler", "resampled"]


class Resampler:
    """Band-limited resampling by soxr at its HQ setting; a stream that has the `target` rate passes as it is.

    How the stream is split into blocks changes nothing; what is held of it does not grow.
    """

    def __init__(self, source: int, target: int) -> None:
        self._stream = None if source == target else soxr.ResampleStream(source, target, 1, "float32", "HQ")

    def hear(self, block: FloatArray) -> FloatArray:
        """The next block (n,) at the source rate; what is ready at the target rate (m,)."""
        return self._stream.resample_chunk(block) if self._stream else block

    def finish(self) -> FloatArray:
        """What is left when the stream has ended, (m,)."""
        none = np.empty(0, np.float32)
        return self._stream.resample_chunk(none, last=True) if self._stream else none


def resampled(clip: Clip, rate: int) -> Clip:
    """The clip at another rate; its origin stays."""
    if rate == clip.rate:
        return clip
    resampler = Resampler(clip.rate, rate)
    return replace(clip, samples=np.concatenate([resampler.hear(clip.samples), resampler.finish()]), rate=rate)
