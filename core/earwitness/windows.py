"""Cutting a stream of sound into windows of one length, and noting what speaks against an answer.

Neither the level nor the constant offset of a clip says what made it, and both give a corpus away; so each
window has its mean removed and is scaled to a root mean square of 1.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from earwitness.types import FloatArray, Windows

__all__ = ["Cutter", "Length", "Survey", "cut", "levelled"]

Length = float | Literal["clip"]
"""Of a window: seconds, or as long as its clip, which beyond `LONGEST` is cut into windows of that length."""
LONGEST = 60.0

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
    """What a `Cutter` noticed of a clip; complete when the clip is.

    `samples` heard at `rate` Hz, of them `clipped` at full scale; `peak` is the largest magnitude; `windows` of
    length `window` were cut, of them `silent` left out.
    """

    rate: int
    window: Length
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
    def seconds(self) -> float:
        """Length of each of its windows."""
        return min(self.duration, LONGEST) if self.window == "clip" else self.window

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
        if 0 < self.duration < self.seconds:
            found.append(f"shorter than one window of {self.seconds:g} s: repeated to fill it")
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


class Cutter:
    """Cuts one clip, as it streams by, into batches of windows (B, n), B <= `batch`.

    Windows begin every `hop` seconds. One more, aligned to the clip's end, is added when over a quarter of a hop
    would go unheard. A clip shorter than a window is repeated to fill one, unless it is too short for an
    answer. With `window` 'clip' there is one, as long as the clip; or one a minute, each a batch of its own, and
    `hop` has no part in it. Silent windows are left out. How the clip is split into blocks changes nothing; memory
    does not grow with it. `survey` tells what is noticed on the way.

    Args:
        rate: The clip's rate in Hz.
        window: Length of a window.
        hop: Seconds between the starts of windows.
        batch: Most windows given at a time.
    """

    def __init__(self, rate: int, window: Length, hop: float, batch: int = 32) -> None:
        self.survey = Survey(rate, window)
        self._size = round((LONGEST if window == "clip" else window) * rate)
        self._step, self._batch = (self._size, 1) if window == "clip" else (max(1, round(hop * rate)), batch)
        self._blocks: list[FloatArray] = []
        self._origin, self._start = 0, 0  # in samples: of what is kept, and of the next window
        self._rows: list[FloatArray] = []
        self._starts: list[float] = []

    def hear(self, block: FloatArray) -> Iterator[Windows]:
        """Take up the next block (n,), and give the batches that are full with it."""
        self.survey.hear(block)
        self._blocks.append(block)
        if self._start + self._size <= self.survey.samples:
            yield from self._batches(self._complete())

    def finish(self) -> Iterator[Windows]:
        """The last batches of the clip."""
        yield from self._batches(self._last())
        if self._rows:
            yield self._gather()

    def _complete(self) -> Iterator[tuple[int, FloatArray]]:
        """Starts and raw windows (n,) of all that is kept, in samples; the clip's last window stays kept."""
        kept = np.concatenate(self._blocks)
        while self._start + self._size <= self.survey.samples:
            yield self._start, kept[self._start - self._origin :][: self._size]
            self._start += self._step
        drop = max(0, min(self._start, self.survey.samples - self._size) - self._origin)
        self._blocks, self._origin = [kept[drop:].copy()], self._origin + drop  # a view would hold on to the rest

    def _last(self) -> Iterator[tuple[int, FloatArray]]:
        """The window at the clip's end, or the only one of a short clip."""
        heard, size = self.survey.samples, self._size
        if heard < size and self.survey.duration >= LEAST_SECONDS:
            kept = np.concatenate(self._blocks)
            yield 0, kept if self.survey.window == "clip" else np.resize(kept, size)
        elif heard >= size and heard - (self._start - self._step + size) > TAIL_SHARE * self._step:
            yield heard - size, np.concatenate(self._blocks)[-size:]

    def _batches(self, slices: Iterable[tuple[int, FloatArray]]) -> Iterator[Windows]:
        """Full batches of levelled windows."""
        for start, samples in slices:
            self.survey.windows += 1
            if (window := levelled(samples, self.survey.rate)) is None:
                self.survey.silent += 1
                continue
            self._rows.append(window)
            self._starts.append(start / self.survey.rate)
            if len(self._rows) == self._batch:
                yield self._gather()

    def _gather(self) -> Windows:
        """The windows that wait, as one batch."""
        windows = Windows(np.stack(self._rows), np.array(self._starts, np.float32), self.survey.rate)
        self._rows, self._starts = [], []
        return windows


def cut(blocks: Iterable[FloatArray], rate: int, window: Length, hop: float) -> Iterator[Windows]:
    """Cut the blocks (n,) of one clip into batches of windows, as a `Cutter` does."""
    cutter = Cutter(rate, window, hop)
    for block in blocks:
        yield from cutter.hear(block)
    yield from cutter.finish()


def levelled(window: FloatArray, rate: int) -> FloatArray | None:
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
