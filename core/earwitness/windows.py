"""Cutting a stream of sound into windows of one length, and noting what speaks against an answer.

Neither the level nor the constant offset of a clip says what made it, and both give a corpus away; so each
window has its mean removed and is scaled to a root mean square of 1.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from earwitness.types import FloatArray, Windows

__all__ = ["Survey", "cut"]

SILENCE = 1e-4
"""A frame is silent below this root mean square (-80 dB of full scale)."""
FRAME_SECONDS = 0.02
ACTIVE_SHARE = 0.05
"""A window with fewer active frames than this is silent."""
FULL_SCALE = 0.999
CLIPPING_WARNED, CLIPPING_REFUSED = 0.01, 0.5
LEAST_SECONDS = 0.25
TAIL_SHARE = 0.25
"""The last window is added when more than this share of a hop would go unheard."""


@dataclass(slots=True)
class Survey:
    """What `cut` noticed of a clip; complete when its windows are exhausted.

    `samples` heard at `rate` Hz, of them `clipped` at full scale; `peak` is the largest magnitude; `windows` of
    `window` seconds were cut, of them `silent` left out.
    """

    rate: int = 1
    window: float = 0.0
    samples: int = 0
    peak: float = 0.0
    clipped: int = 0
    windows: int = 0
    silent: int = 0

    def hear(self, block: FloatArray) -> None:
        """Take note of a block (n,)."""
        magnitude = np.abs(block)
        self.samples += len(block)
        self.peak = max(self.peak, float(magnitude.max(initial=0.0)))
        self.clipped += int(np.count_nonzero(magnitude >= FULL_SCALE))

    @property
    def duration(self) -> float:
        """Seconds heard."""
        return self.samples / self.rate

    @property
    def silent_share(self) -> float:
        """The share of windows left out as silent."""
        return self.silent / self.windows if self.windows else 0.0

    @property
    def clipped_share(self) -> float:
        """The share of samples at full scale."""
        return self.clipped / self.samples if self.samples else 0.0

    @property
    def warnings(self) -> tuple[str, ...]:
        """What weakens an answer, for a user."""
        found = []
        if 0 < self.duration < self.window:
            found.append(f"shorter than one window of {self.window:g} s: repeated to fill it")
        if self.clipped_share >= CLIPPING_WARNED:
            found.append(f"clipped: {self.clipped_share:.0%} of samples at full scale")
        if self.silent:
            found.append(f"silent: {self.silent_share:.0%} of windows left out")
        return tuple(found)

    @property
    def abstention(self) -> str | None:
        """Why the clip can't bear an answer, or None when it can."""
        if self.duration < LEAST_SECONDS:
            return f"too short: {self.duration:.2f} s, at least {LEAST_SECONDS:g} s are needed"
        if self.clipped_share >= CLIPPING_REFUSED:
            return f"clipped to nothing: {self.clipped_share:.0%} of samples at full scale"
        return "silent" if self.silent == self.windows else None


def cut(
    blocks: Iterable[FloatArray],
    rate: int,
    seconds: float,
    hop: float,
    batch: int = 32,
    survey: Survey | None = None,
) -> Iterator[Windows]:
    """Cut blocks (n,) of one clip into batches of windows (B, seconds * rate), B <= `batch`.

    Windows begin every `hop` seconds. One more, aligned to the clip's end, is added when over a quarter of a hop
    would go unheard. A clip shorter than a window is repeated to fill one, unless it is too short for an
    answer. Silent windows are left out. How the clip is split into blocks changes nothing; memory does not
    grow with the clip.

    Args:
        blocks: The clip, in order.
        rate: Its rate in Hz.
        seconds: Length of a window.
        hop: Time between the starts of windows.
        batch: Most windows given at a time.
        survey: Filled with what is noticed on the way.
    """
    survey = Survey() if survey is None else survey
    survey.rate, survey.window = rate, seconds
    rows: list[FloatArray] = []
    starts: list[float] = []
    for start, samples in _slices(blocks, round(seconds * rate), max(1, round(hop * rate)), survey):
        survey.windows += 1
        if (window := _levelled(samples, rate)) is None:
            survey.silent += 1
            continue
        rows.append(window)
        starts.append(start / rate)
        if len(rows) == batch:
            yield Windows(np.stack(rows), np.array(starts, np.float32), rate)
            rows, starts = [], []
    if rows:
        yield Windows(np.stack(rows), np.array(starts, np.float32), rate)


def _slices(blocks: Iterable[FloatArray], size: int, step: int, survey: Survey) -> Iterator[tuple[int, FloatArray]]:
    """Starts and raw windows (size,), in samples."""
    kept, origin, start = np.empty(0, np.float32), 0, 0
    for block in blocks:
        survey.hear(block)
        kept = np.concatenate([kept, block])
        while start + size <= survey.samples:
            yield start, kept[start - origin : start - origin + size]
            start += step
        drop = max(0, min(start, survey.samples - size) - origin)
        kept, origin = kept[drop:], origin + drop
    if 0 < survey.samples < size and survey.duration >= LEAST_SECONDS:
        yield 0, np.resize(kept, size)
    elif survey.samples >= size and survey.samples - (start - step + size) > TAIL_SHARE * step:
        yield survey.samples - size, kept[-size:]


def _levelled(window: FloatArray, rate: int) -> FloatArray | None:
    """The window without mean and at unit root mean square (n,), or None when it is silent or not finite."""
    with np.errstate(invalid="ignore", over="ignore"):
        centred: FloatArray = window - window.mean()
        frame = min(len(centred), max(1, math.ceil(FRAME_SECONDS * rate)))
        frames = centred[: len(centred) // frame * frame].reshape(-1, frame)  # (frames, n)
        frames = frames - frames.mean(axis=1, keepdims=True)  # a click's share of the mean is no activity
        power = np.einsum("fn,fn->f", frames, frames) / frame
        scale = math.sqrt(np.dot(centred, centred) / len(centred))
    if not math.isfinite(scale) or np.mean(power >= SILENCE**2) < ACTIVE_SHARE:
        return None
    centred /= np.float32(scale)
    return centred
