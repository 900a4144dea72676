"""The clips of a manifest as an engine scores them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from earwitness.deciding import Judge
from earwitness.engine import Engine
from earwitness.errors import ManifestError, RegistryError
from earwitness.fusion import STRANGER, Opinions
from earwitness.listening import Excerpt, Heard
from earwitness.manifest import Manifest, Row
from earwitness.types import FloatArray, IntArray, Task, Verdict

__all__ = ["STRANGER", "Scored", "hear_rows", "score_rows", "tasks_of"]


@dataclass(frozen=True, slots=True)
class Scored:
    """n clips that could bear an answer: `values` (n, K), `knownness` (n,), unit mean embeddings `means` (n, d).

    `opinions` are what each expert says of them, before fusion; `estranged` what the experts would say of those of
    known sources if the source and its family were not enrolled, where that was asked for.

    `labels` (n,) index into the K `sources` enrolled, STRANGER for a clip of none of them; `verdicts` (n) are what
    a user would read; `skipped` says what was left out, one sentence a clip.
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

    def answers(self, threshold: float) -> IntArray:
        """(n,): the first rank of each clip, STRANGER under the threshold."""
        return np.where(self.knownness.astype(np.float64) >= threshold, self.values.argmax(axis=1), STRANGER)


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


def score_rows(engine: Engine, task: Task, manifest: Manifest, traced: bool = False, estrange: bool = False) -> Scored:
    """Score every clip of a manifest that can bear an answer.

    Args:
        engine: The registry asked.
        task: The question.
        manifest: The clips.
        traced: Whether the verdicts tell traces too.
        estrange: Whether clips of known sources are heard once more as strangers'.

    Raises:
        ManifestError: no clip can.
        RegistryError: no source is enrolled.
    """
    judge = engine.judge(task)
    if not judge.sources:
        raise RegistryError(f"no source is enrolled for task {task!r}: run 'earwitness enroll' first")
    index = {source: k for k, source in enumerate(judge.sources)}
    rows, opinions, estranged, means, verdicts, skipped = [], [], [], [], [], []
    for row, heard in hear_rows(engine, task, manifest, traced):
        if reason := _why_not(engine, judge, row, heard):
            skipped.append(f"{heard.excerpt}: {reason}")
            continue
        scores = judge.scores(heard)
        rows.append(row)
        opinions.append(judge.opinions(heard, scores))
        if estrange and row.source in index and (kin := judge.kin_of(row.source)) < set(judge.sources):
            estranged.append(judge.opinions(heard, judge.scores_without(heard, kin)))
        means.append(judge.mean(heard))
        verdicts.append(judge.answer(heard, scores))
    if not rows:
        raise ManifestError(f"{manifest.path}: no clip can be counted; first: {skipped[0]}")
    together = Opinions.joined(opinions)
    clips = judge.fused(together, judge.fusion)
    return Scored(
        sources=judge.sources,
        rows=tuple(rows),
        opinions=together,
        estranged=Opinions.joined(estranged) if estranged else None,
        values=clips.values,
        knownness=clips.knownness,
        labels=np.array([index.get(row.source or "", STRANGER) for row in rows], np.int64),
        means=np.array(means, np.float32),
        verdicts=tuple(verdicts),
        skipped=tuple(skipped),
    )


def _why_not(engine: Engine, judge: Judge, row: Row, heard: Heard) -> str | None:
    """Why a clip can't be counted, if it can't; an enrolled clip would be asked about itself."""
    if heard.error:
        return str(heard.error)
    if abstention := judge.abstention(heard):
        return abstention
    if heard.origin and row.source and engine.registry.knows(heard.origin.samples_sha256, row.source):
        return "is enrolled itself"
    return None
