"""From files to embeddings and traces: each file is decoded once, for all models and tracers at a time.

Blocks of sound go to every rate asked for, from there to windows, features, and to the networks, which embed windows
of many files at once.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from os import PathLike

import numpy as np

from earwitness.audio import Fallback, Resampler, open_audio, printable
from earwitness.contracts import Tracer
from earwitness.errors import EarwitnessError
from earwitness.model import Model, unit
from earwitness.network import BATCH
from earwitness.quality import UNHEARD, Gauge, Quality, lossless
from earwitness.stretches import Stretches
from earwitness.types import FloatArray, Origin, Trace, Windows
from earwitness.windows import Cutter, Survey

__all__ = ["Excerpt", "Heard", "Track", "listen"]


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A file, or `start` to `end` seconds of it.

    `name` is what it is called, by default its path; `cell` the voice, speaker or page it is of, and `made` how it was
    made, where that is known.
    """

    path: str | PathLike[str]
    start: float | None = None
    end: float | None = None
    name: str | None = None
    cell: str | None = None
    made: str | None = None

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
class Track:
    """What one model heard in a file: unit `embeddings` (B, d) of windows of `seconds` each, from `starts` (B,) on.

    `abstention` is why the file can't bear this model's answer, if it can't.
    """

    starts: FloatArray
    embeddings: FloatArray
    seconds: float
    warnings: tuple[str, ...] = ()
    abstention: str | None = None

    @property
    def mean(self) -> FloatArray:
        """(d,): the clip's unit mean embedding."""
        vector: FloatArray = unit(self.embeddings.mean(axis=0, keepdims=True))[0]
        return vector


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard in one file: a track for each model, by its space, and traces; or an `error` alone."""

    excerpt: Excerpt
    origin: Origin | None = None
    tracks: Mapping[str, Track] = field(default_factory=dict)
    traces: tuple[Trace, ...] = ()
    quality: Quality = UNHEARD
    warnings: tuple[str, ...] = ()
    error: EarwitnessError | None = None

    def warnings_in(self, space: str) -> tuple[str, ...]:
        """What weakens an answer from one space: of the file, then of the track."""
        return (*self.warnings, *(self.tracks[space].warnings if space in self.tracks else ()))


@dataclass(slots=True)
class _Draft:
    """A track on its way: some windows wait for a full batch."""

    survey: Survey
    starts: list[FloatArray] = field(default_factory=list)
    embeddings: list[FloatArray] = field(default_factory=list)
    waiting: int = 0

    def track(self) -> Track:
        """The finished track."""
        survey = self.survey
        return Track(
            np.concatenate(self.starts) if self.starts else np.empty(0, np.float32),
            np.concatenate(self.embeddings) if self.embeddings else np.empty((0, 0), np.float32),
            survey.seconds,
            survey.warnings,
            survey.abstention,
        )


@dataclass(slots=True)
class _Pending:
    """A file on its way: what is known of it apart from its tracks, and these by space."""

    outcome: Heard
    drafts: dict[str, _Draft] = field(default_factory=dict)

    @property
    def waiting(self) -> bool:
        """Whether any of its windows have still to be embedded."""
        return any(draft.waiting for draft in self.drafts.values())

    def heard(self) -> Heard:
        """The finished file."""
        if self.outcome.error:
            return self.outcome
        return replace(self.outcome, tracks={space: draft.track() for space, draft in self.drafts.items()})


class _Batcher:
    """Collects windows of several files until a model's network has a full batch; a minute alone is one."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._full = 1 if model.pipeline.window == "clip" else BATCH
        self._rows: list[tuple[_Draft, FloatArray]] = []
        self._count = 0

    def add(self, draft: _Draft, windows: Windows) -> None:
        """Take up windows of one file."""
        features = self.model.features(windows)  # (B, frames, dims)
        if self._rows and features.shape[1:] != self._rows[0][1].shape[1:]:
            self.flush()
        draft.starts.append(windows.starts)
        draft.waiting += 1
        self._rows.append((draft, features))
        self._count += len(features)
        if self._count >= self._full:
            self.flush()

    def flush(self) -> None:
        """Embed what waits and hand each file its own rows."""
        if not self._rows:
            return
        vectors = self.model.embed(np.concatenate([features for _, features in self._rows]))
        for draft, features in self._rows:
            own, vectors = vectors[: len(features)], vectors[len(features) :]
            draft.embeddings.append(own)
            draft.waiting -= 1
        self._rows, self._count = [], 0


class _Ear:
    """Hears one file in one kind of window, for the models that share it."""

    def __init__(self, batchers: Sequence[_Batcher], native: int, pending: _Pending) -> None:
        pipeline = batchers[0].model.pipeline
        rate = pipeline.rate_at(native)
        self._resampler = Resampler(native, rate)
        self._cutter = Cutter(rate, pipeline.window, pipeline.hop)
        self._drafts = [(batcher, _Draft(self._cutter.survey)) for batcher in batchers]
        pending.drafts |= {batcher.model.space: draft for batcher, draft in self._drafts}

    def hear(self, block: FloatArray) -> None:
        """Take up the next block (n,)."""
        self._hand_on(self._cutter.hear(self._resampler.hear(block)))

    def finish(self) -> None:
        """Cut what is left."""
        self._hand_on(self._cutter.hear(self._resampler.finish()))
        self._hand_on(self._cutter.finish())

    def _hand_on(self, batches: Iterable[Windows]) -> None:
        for windows in batches:
            for batcher, draft in self._drafts:
                batcher.add(draft, windows)


def listen(
    excerpts: Iterable[Excerpt],
    models: Sequence[Model],
    tracers: Sequence[Tracer] = (),
    fallback: Fallback | None = None,
) -> Iterator[Heard]:
    """Hear files in their order, each decoded once for all models and tracers.

    A bad file yields its error and the rest go on. Memory does not grow with a file.
    """
    batchers, queue = [_Batcher(model) for model in models], deque[_Pending]()
    groups = _sharing(batchers)
    for excerpt in excerpts:
        queue.append(_Pending(Heard(excerpt)))
        queue[-1].outcome = _read(queue[-1], groups, tracers, fallback)
        while queue and not queue[0].waiting:
            yield queue.popleft().heard()
    for batcher in batchers:
        batcher.flush()
    for pending in queue:
        yield pending.heard()


def _sharing(batchers: Iterable[_Batcher]) -> list[list[_Batcher]]:
    """Models by the windows they want, so that each kind is cut once."""
    groups: dict[tuple[object, ...], list[_Batcher]] = {}
    for batcher in batchers:
        pipeline = batcher.model.pipeline
        groups.setdefault((pipeline.rate, pipeline.window, pipeline.hop), []).append(batcher)
    return list(groups.values())


def _read(
    pending: _Pending, groups: Sequence[Sequence[_Batcher]], tracers: Sequence[Tracer], fallback: Fallback | None
) -> Heard:
    """Decode one file into the batchers; what is known of it apart from its tracks."""
    excerpt = pending.outcome.excerpt
    try:
        with open_audio(excerpt.path, fallback, start=excerpt.start, end=excerpt.end) as audio:
            stretches, gauge = Stretches(tracers, audio), Gauge(audio.rate)
            ears = [_Ear(batchers, audio.rate, pending) for batchers in groups]
            listeners: list[_Ear | Stretches] = [*ears, stretches]
            for block in audio.blocks():
                gauge.hear(block)
                for listener in listeners:
                    listener.hear(block)
            for listener in listeners:
                listener.finish()
            quality = gauge.quality(lossless(audio.origin.codec))
            return Heard(excerpt, audio.origin, traces=stretches.traces, quality=quality, warnings=audio.warnings)
    except EarwitnessError as error:
        return Heard(excerpt, error=error)
