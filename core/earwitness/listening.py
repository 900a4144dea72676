"""From files to embeddings: decode, cut, compute features, and run the network over windows of many clips at once."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from os import PathLike

import numpy as np

from earwitness.audio import Fallback, open_audio, printable
from earwitness.errors import EarwitnessError
from earwitness.model import Model, unit
from earwitness.network import BATCH
from earwitness.types import FloatArray, Origin
from earwitness.windows import Survey, cut

__all__ = ["Excerpt", "Heard", "listen"]


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A file, or `start` to `end` seconds of it; `name` is what it is called, by default its path."""

    path: str | PathLike[str]
    start: float | None = None
    end: float | None = None
    name: str | None = None

    def __str__(self) -> str:
        """The path as printable text, with the stretch where there is one."""
        return (self.name or printable(self.path)) + self.span

    @property
    def span(self) -> str:
        """`#1.5-4` for a stretch, `#1.5-` for one to the end; empty for the whole file."""
        if (self.start, self.end) == (None, None):
            return ""
        return f"#{self.start or 0:.12g}-{'' if self.end is None else f'{self.end:.12g}'}"


@dataclass(frozen=True, slots=True)
class Heard:
    """What a model heard in one file: window `starts` (B,) and unit `embeddings` (B, d), or an `error`.

    `abstention` is why the clip can't bear an answer, if it can't.
    """

    excerpt: Excerpt
    origin: Origin | None = None
    starts: FloatArray = field(default_factory=lambda: np.empty(0, np.float32))
    embeddings: FloatArray = field(default_factory=lambda: np.empty((0, 0), np.float32))
    warnings: tuple[str, ...] = ()
    abstention: str | None = None
    error: EarwitnessError | None = None

    @property
    def mean(self) -> FloatArray:
        """(d,): the clip's unit mean embedding."""
        vector: FloatArray = unit(self.embeddings.mean(axis=0, keepdims=True))[0]
        return vector


@dataclass(slots=True)
class _Pending:
    """A file on its way: its windows wait for a full batch."""

    excerpt: Excerpt
    starts: list[FloatArray] = field(default_factory=list)
    embeddings: list[FloatArray] = field(default_factory=list)
    waiting: int = 0
    outcome: Heard | None = None

    def heard(self) -> Heard:
        """The finished file."""
        outcome = self.outcome or Heard(self.excerpt)
        if outcome.error or not self.starts:
            return outcome
        return Heard(
            self.excerpt,
            outcome.origin,
            np.concatenate(self.starts),
            np.concatenate(self.embeddings),
            outcome.warnings,
            outcome.abstention,
        )


class _Batcher:
    """Collects windows of several files until the network has a full batch."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._rows: list[tuple[_Pending, FloatArray]] = []
        self._count = 0

    def add(self, pending: _Pending, features: FloatArray) -> None:
        """Take up features (B, frames, dims) of one file."""
        pending.waiting += 1
        self._rows.append((pending, features))
        self._count += len(features)
        if self._count >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Embed what waits and hand each file its own rows."""
        if not self._rows:
            return
        vectors = self._model.embed(np.concatenate([features for _, features in self._rows]))
        for pending, features in self._rows:
            own, vectors = vectors[: len(features)], vectors[len(features) :]
            pending.embeddings.append(own)
            pending.waiting -= 1
        self._rows, self._count = [], 0


def listen(excerpts: Iterable[Excerpt], model: Model, fallback: Fallback | None = None) -> Iterator[Heard]:
    """Hear files in their order; a bad one yields its error and the rest go on. Memory does not grow with a file."""
    batcher, queue = _Batcher(model), deque[_Pending]()
    for excerpt in excerpts:
        queue.append(_Pending(excerpt))
        queue[-1].outcome = _read(queue[-1], model, batcher, fallback)
        while queue and not queue[0].waiting:
            yield queue.popleft().heard()
    batcher.flush()
    for pending in queue:
        yield pending.heard()


def _read(pending: _Pending, model: Model, batcher: _Batcher, fallback: Fallback | None) -> Heard:
    """Decode one file into the batcher; what is known of it apart from its embeddings."""
    pipeline, survey, excerpt = model.pipeline, Survey(), pending.excerpt
    try:
        with open_audio(excerpt.path, pipeline.rate, fallback, start=excerpt.start, end=excerpt.end) as audio:
            for windows in cut(audio.blocks(), pipeline.rate, pipeline.window, pipeline.hop, survey=survey):
                pending.starts.append(windows.starts)
                batcher.add(pending, model.features(windows))
            return Heard(
                excerpt,
                audio.origin,
                warnings=(*audio.warnings, *survey.warnings),
                abstention=survey.abstention,
            )
    except EarwitnessError as error:
        return Heard(excerpt, error=error)
