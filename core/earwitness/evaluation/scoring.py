"""The clips of a manifest as an engine scores them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self, get_args

import numpy as np
from numpy.typing import NDArray

from earwitness.deciding import Judge
from earwitness.engine import Engine
from earwitness.errors import ManifestError, RegistryError
from earwitness.evaluation.progress import Progress, unwatched
from earwitness.fusion import STRANGER, Opinions
from earwitness.listening import Excerpt, Heard
from earwitness.manifest import Manifest, Row
from earwitness.types import FloatArray, IntArray, Task, Verdict

__all__ = [
    "STRANGER",
    "Listened",
    "Replayed",
    "Scored",
    "hear_all",
    "hear_rows",
    "replay",
    "score",
    "score_rows",
    "tasks_of",
]

ANCHORS = 50
"""About how many clips tell how the scale changes when sources are left out."""


@dataclass(frozen=True, slots=True)
class Listened:
    """Rows that can bear an answer, `counted`, each with what was heard; and one sentence a clip `skipped`."""

    counted: tuple[tuple[Row, Heard], ...]
    skipped: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Replayed:
    """What the experts say of m clips of enrolled sources as if some of them had never been enrolled.

    `left_out` (m, K) says which, the clips' own sources `labels` (m,) among them.
    """

    opinions: Opinions
    labels: IntArray
    left_out: NDArray[np.bool_]

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Those of several parts as one."""
        arrays = zip(*((part.labels, part.left_out) for part in parts), strict=True)
        return cls(Opinions.joined([part.opinions for part in parts]), *map(np.concatenate, arrays))

    def first(self, values: FloatArray) -> IntArray:
        """The source ranked first of those not left out, by the values (m, K) that the opinions come to: (m,)."""
        kept = np.where(self.left_out, -np.inf, values)
        return np.asarray(kept.argmax(axis=1), np.int64)


@dataclass(frozen=True, slots=True)
class Scored:
    """n clips that could bear an answer: `values` (n, K), `knownness` (n,), unit mean embeddings `means` (n, d).

    `opinions` are what each expert says of them, before fusion; `estranged` what the experts would say of those of
    known sources if the source and its family were not enrolled, where that was asked for.

    `labels` (n,) index into the K `sources` enrolled, STRANGER for a clip of none of them; `verdicts` (n) are what
    a user would read, where they were asked for; `skipped` says what was left out, one sentence a clip.
    """

    sources: tuple[str, ...]
    rows: tuple[Row, ...]
    opinions: Opinions
    estranged: Opinions | None
    values: FloatArray
    knownness: FloatArray
    labels: IntArray
    means: FloatArray
    verdicts: tuple[Verdict, ...]
    skipped: tuple[str, ...]

    @property
    def known(self) -> NDArray[np.bool_]:
        """(n,): whether the clip's source is enrolled."""
        return np.asarray(self.labels != STRANGER)

    @property
    def strangers(self) -> tuple[str, ...]:
        """What made the clips of no enrolled source, where the manifest says it; sorted."""
        pairs = zip(self.rows, self.known, strict=True)
        return tuple(sorted({row.source for row, known in pairs if row.source and not known}))


def tasks_of(engine: Engine, manifest: Manifest) -> list[Task]:
    """The tasks that the registry has a model for and the manifest rows; ManifestError when there is none."""
    named = {row.task for row in manifest.rows}
    tasks = [task for task in get_args(Task) if task in engine.models and {task, None} & named]
    if not tasks:
        raise ManifestError(f"{manifest.path}: no row is for {' or '.join(engine.models)}; check the column 'task'")
    return tasks


def hear_rows(engine: Engine, task: Task, manifest: Manifest, traced: bool = False) -> Iterator[tuple[Row, Heard]]:
    """Each row of a task with what was heard in it."""
    rows = manifest.select(task=task).rows
    excerpts = [Excerpt(row.path, row.start, row.end) for row in rows]
    yield from zip(rows, engine.listen(excerpts, task, traced=traced), strict=True)


def hear_all(
    engine: Engine, task: Task, manifest: Manifest, traced: bool = False, progress: Progress = unwatched
) -> Listened:
    """The clips of a manifest that can bear an answer.

    Raises:
        ManifestError: there is none.
        RegistryError: nothing is enrolled.
    """
    judge = engine.judge(task)
    if not judge.sources:
        raise RegistryError(f"no source is enrolled for task {task!r}: run 'earwitness enroll' first")
    counted, skipped = [], []
    total = len(manifest.select(task=task).rows)
    for row, heard in progress(hear_rows(engine, task, manifest, traced), total, "listening"):
        if reason := _why_not(engine, judge, row, heard):
            skipped.append(f"{heard.excerpt}: {reason}")
        else:
            counted.append((row, heard))
    if not counted:
        raise ManifestError(f"{manifest.path}: no clip can be counted; first: {skipped[0]}")
    return Listened(tuple(counted), tuple(skipped))


def score(judge: Judge, listened: Listened, verdicts: bool = True) -> Scored:
    """What a judge says of clips, with what a user would read where `verdicts` are wanted."""
    index = {source: k for k, source in enumerate(judge.sources)}
    opinions, told = [], []
    for _, heard in listened.counted:
        scores = judge.scores(heard)
        opinions.append(judge.opinions(heard, scores))
        if verdicts:
            told.append(judge.answer(heard, scores))
    together = Opinions.joined(opinions)
    clips = judge.fused(together, judge.fusion)
    return Scored(
        sources=judge.sources,
        rows=tuple(row for row, _ in listened.counted),
        opinions=together,
        estranged=None,
        values=clips.values,
        knownness=clips.knownness,
        labels=np.array([index.get(row.source or "", STRANGER) for row, _ in listened.counted], np.int64),
        means=np.array([judge.mean(heard) for _, heard in listened.counted], np.float32),
        verdicts=tuple(told),
        skipped=listened.skipped,
    )


def replay(judge: Judge, listened: Listened, scored: Scored, left_out: Mapping[str, frozenset[str]]) -> Replayed | None:
    """What a judge would say had some sources never been enrolled, on the scale of all that are.

    A scorer fitted to fewer sources speaks on another scale, to clips of those that stay too: by what these change on
    average, its figures are put back.

    Args:
        judge: The registry asked.
        listened: The clips.
        scored: What the judge says of them as things are.
        left_out: For clips of each source that are wanted, what to leave out, itself among it.

    Returns:
        The clips of these sources; None where there is none, or nothing else is enrolled.
    """
    clips: dict[frozenset[str], list[int]] = {}
    for number, row in enumerate(scored.rows):
        names = left_out.get(row.source or "", frozenset(judge.sources))
        if names < set(judge.sources):
            clips.setdefault(names, []).append(number)
    parts = [_without(judge, listened, scored, names, numbers) for names, numbers in clips.items()]
    return Replayed.joined(parts) if parts else None


def _without(
    judge: Judge, listened: Listened, scored: Scored, names: frozenset[str], numbers: Sequence[int]
) -> Replayed:
    """Some clips as if some sources had never been enrolled."""
    columns = np.isin(judge.sources, [*names])
    others = np.flatnonzero(scored.known & ~columns[scored.labels])
    stay = others[:: max(1, len(others) // ANCHORS)]
    heard = [listened.counted[number][1] for number in (*numbers, *stay)]
    said = Opinions.joined([judge.opinions(each, judge.scores_without(each, names)) for each in heard])
    count = len(numbers)
    values = said.values[:count] + _mean(scored.opinions.values[stay] - said.values[count:])
    knownness = said.knownness[:count] + _mean(scored.opinions.knownness[stay] - said.knownness[count:])
    values[..., columns] = values[..., ~columns].min(axis=2, keepdims=True)
    opinions = Opinions(values, knownness, said.merits[:count])
    return Replayed(opinions, scored.labels[[*numbers]], np.repeat(columns[None], count, axis=0))


def _mean(changes: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean over clips, (m, ...) -> (...), of those that are said; 0 where none is."""
    said = np.isfinite(changes)
    return np.asarray(np.where(said, changes, 0.0).sum(axis=0) / np.maximum(said.sum(axis=0), 1))


def score_rows(
    engine: Engine,
    task: Task,
    manifest: Manifest,
    traced: bool = False,
    estrange: bool = False,
    verdicts: bool = True,
    progress: Progress = unwatched,
) -> Scored:
    """Score every clip of a manifest that can bear an answer.

    Args:
        engine: The registry asked.
        task: The question.
        manifest: The clips.
        traced: Whether the verdicts tell traces too.
        estrange: Whether clips of known sources are scored once more without their families, as strangers'.
        verdicts: Whether verdicts are wanted.
        progress: Shows how many clips have been heard.

    Raises:
        ManifestError: no clip can bear an answer.
        RegistryError: nothing is enrolled.
    """
    judge, listened = engine.judge(task), hear_all(engine, task, manifest, traced, progress)
    scored = score(judge, listened, verdicts)
    if not estrange:
        return scored
    replayed = replay(judge, listened, scored, {source: judge.kin_of(source) for source in judge.sources})
    return replace(scored, estranged=replayed.opinions if replayed else None)


def _why_not(engine: Engine, judge: Judge, row: Row, heard: Heard) -> str | None:
    """Why a clip can't be counted, if it can't; an enrolled clip would be asked about itself."""
    if heard.error:
        return str(heard.error)
    if abstention := judge.abstention(heard):
        return abstention
    if heard.origin and row.source and engine.registry.knows(heard.origin.samples_sha256, row.source):
        return "is enrolled itself"
    return None
