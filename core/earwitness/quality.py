"""How well a clip can be heard, whatever made it: its length, bandwidth, noise and coding."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from earwitness.types import FloatArray

__all__ = ["MERITS", "UNHEARD", "Gauge", "Quality", "lossless"]

FRAME_SECONDS = 0.064
DEPTH = 60.0
"""dB under its strongest frequency at which a long spectrum ends."""
SPEECH, PAUSE = 0.9, 0.1
"""Shares of frames under whose levels speech and the noise between it are taken to lie."""
LEVELS = np.arange(-120.0, 1.0)
"""Frames are counted by level, in dB of full scale."""

KEEPING = ("pcm", "float", "double", "flac", "alac", "wavpack", "ape", "tta")
"""How the names of codecs begin that lose nothing."""

MERITS = ("always", "long", "wide", "clean", "lossless")
"""What the entries of `Quality.merits` stand for."""


@dataclass(frozen=True, slots=True)
class Quality:
    """`seconds` heard, `bandwidth` in Hz, `depth` from speech to the noise in its pauses in dB, `lossless` coding."""

    seconds: float
    bandwidth: float
    depth: float
    lossless: bool

    @property
    def merits(self) -> NDArray[np.float64]:
        """(5,) in 0..1, by `MERITS`: 1, then full marks for 10 s, 8 kHz, 50 dB and a lossless coding."""
        marks = (1.0, self.seconds / 10.0, self.bandwidth / 8000.0, self.depth / 50.0, float(self.lossless))
        return np.asarray(np.clip(np.array(marks), 0.0, 1.0))


UNHEARD = Quality(0.0, 0.0, 0.0, lossless=False)


def lossless(codec: str) -> bool:
    """Whether a codec, by libsndfile's or FFmpeg's name, keeps every sample; 8 bits by A-law or mu-law do not."""
    return codec.lower().startswith(KEEPING) and not codec.lower().endswith("law")


class Gauge:
    """Hears a clip block by block at one rate; memory does not grow with it."""

    def __init__(self, rate: int) -> None:
        self._rate, self._frame = rate, round(FRAME_SECONDS * rate)
        self._samples = 0
        self._counts = np.zeros(len(LEVELS), np.int64)
        self._power = np.zeros(self._frame // 2 + 1)

    def hear(self, block: FloatArray) -> None:
        """Take note of a block (n,); what doesn't fill a frame counts for its length alone."""
        self._samples += len(block)
        frames = block[: len(block) // self._frame * self._frame].reshape(-1, self._frame)
        if not len(frames):
            return
        power = np.square(np.abs(np.fft.rfft(frames * np.hanning(self._frame).astype(np.float32))))  # (frames, bins)
        self._power += power.sum(axis=0)
        levels = 10 * np.log10(np.square(frames).mean(axis=1) + 1e-12)
        self._counts += np.bincount(
            np.clip(np.rint(levels) - LEVELS[0], 0, len(LEVELS) - 1).astype(int), minlength=len(LEVELS)
        )

    def quality(self, lossless: bool) -> Quality:
        """What was found so far."""
        return Quality(
            self._samples / self._rate, self._bandwidth(), self._level(SPEECH) - self._level(PAUSE), lossless
        )

    def _bandwidth(self) -> float:
        """The highest frequency that isn't `DEPTH` under the strongest one."""
        loud = np.flatnonzero(self._power > self._power.max() * 10 ** (-DEPTH / 10))
        return float(loud[-1] * self._rate / self._frame) if len(loud) else 0.0

    def _level(self, share: float) -> float:
        """The level in dB under which a share of frames lies."""
        total = self._counts.sum()
        return float(LEVELS[np.searchsorted(np.cumsum(self._counts), share * total)]) if total else 0.0
