"""The clips of a manifest as an engine scores them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from earwitness.engine import Engine
from earwitness.listening import Excerpt, Heard
from earwitness.manifest import Manifest, Row
from earwitness.model import unit
from earwitness.types import FloatArray, IntArray, Task

__all__ = ["STRANGER", "Scored", "hear_rows", "score_rows"]

STRANGER = -1


@dataclass(frozen=True, slots=True)
class Scored:
    """n clips that could bear an answer: `values` (n, K), `knownness` (n,), unit mean embeddings `means` (n, d).

    `labels` (n,) index into the enrolled sources, STRANGER for a clip of none of them; `skipped` says what was
    left out, one sentence a clip.
    """

    rows: tuple[Row, ...]
    values: FloatArray
    knownness: FloatArray
    labels: IntArray
    means: FloatArray
    skipped: tuple[str, ...]

    @property
    def known(self) -> NDArray[np.bool_]:
        """(n,): whether the clip's source is enrolled."""
        return np.asarray(self.labels != STRANGER)


def hear_rows(engine: Engine, task: Task, manifest: Manifest) -> Iterator[tuple[Row, Heard]]:
    """Each row of a task with what its model heard."""
    rows = manifest.select(task=task).rows
    excerpts = [Excerpt(row.path, row.start, row.end) for row in rows]
    yield from zip(rows, engine.listen(excerpts, task), strict=True)


def score_rows(engine: Engine, task: Task, manifest: Manifest) -> Scored:
    """Score every clip of a manifest that can bear an answer."""
    judge = engine.judge(task)
    index = {source: k for k, source in enumerate(judge.gallery.sources)}
    rows, values, knownness, means, skipped = [], [], [], [], []
    for row, heard in hear_rows(engine, task, manifest):
        if reason := _why_not(engine, row, heard):
            skipped.append(f"{heard.excerpt}: {reason}")
            continue
        clip = judge.scores(heard.embeddings).pooled()
        rows.append(row)
        values.append(clip.values[0])
        knownness.append(clip.knownness[0])
        means.append(unit(heard.embeddings.mean(axis=0, keepdims=True))[0])
    return Scored(
        rows=tuple(rows),
        values=np.array(values, np.float32).reshape(len(rows), len(index)),
        knownness=np.array(knownness, np.float32),
        labels=np.array([index.get(row.source or "", STRANGER) for row in rows], np.int64),
        means=np.array(means, np.float32).reshape(len(rows), -1),
        skipped=tuple(skipped),
    )


def _why_not(engine: Engine, row: Row, heard: Heard) -> str | None:
    """Why a clip can't be counted, if it can't; an enrolled clip would be asked about itself."""
    if heard.error or heard.abstention:
        return str(heard.error or heard.abstention)
    if heard.origin and row.source and engine.registry.knows(heard.origin.samples_sha256, row.source):
        return "is enrolled itself"
    return None
