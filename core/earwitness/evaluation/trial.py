"""A registry on trial: what it says of test clips, as they are and after a condition, and every figure of that."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from earwitness.deciding import Judge
from earwitness.engine import Engine
from earwitness.errors import ManifestError
from earwitness.evaluation.conditions import conditioned
from earwitness.evaluation.measuring import measure
from earwitness.evaluation.progress import Progress, unwatched
from earwitness.evaluation.protocol import check_pools, current, groups_of
from earwitness.evaluation.scoring import STRANGER, Scored, score_rows
from earwitness.evaluation.table import Groups
from earwitness.manifest import Manifest, Row
from earwitness.types import Task

__all__ = ["Trial"]

YES = {"1", "true", "yes", "unknown"}


@dataclass(frozen=True)
class Trial:
    """A calibrated registry and the clips that test it; fields as in `evaluate_registry`, `leaks` those allowed."""

    engine: Engine
    manifest: Manifest
    split: str = "test"
    unknown_column: str | None = None
    resample: str | None = None
    leaks: Sequence[str] = ()
    progress: Progress = unwatched

    def hear(self, task: Task, told: bool = False) -> Scored:
        """The clips of a task as they are; verdicts and traces where they are `told`.

        Raises:
            ManifestError: strangers of development stand in the test, or no clip can be counted.
            CalibrationError: the registry has no threshold, or changed since it was set.
        """
        judge, test = self.engine.judge(task), self.manifest.select(split=self.split, task=task)
        calibration = current(judge)
        if not self.leaks:
            families = {source: groups[0] for source, groups in self._groups(judge).items()}
            check_pools(calibration.stranger_sources, self._strangers(test, judge), families)
        return self._scored(task, test, told)

    def figures(self, task: Task, scored: Scored, by: Sequence[str] = ()) -> dict[str, Any]:
        """Every figure of clips, and apart by the values of columns."""
        judge = self.engine.judge(task)
        cards = {source: judge.groups_of(source) for source in judge.sources}
        return measure(scored, current(judge), by, self.resample, self._groups(judge), cards, task)

    def after(self, condition: str, task: Task, scored: Scored, folder: Path) -> dict[str, Any]:
        """The figures of the clips that were counted, after a condition; without any where it leaves none to count.

        The clips are written into `folder`; those that lie there from another trial of this manifest are heard as they
        are.
        """
        rows = conditioned(scored.rows, condition, folder, self.engine.catalogue, self.progress)
        try:
            found = self._scored(task, Manifest(self.manifest.path, rows), told=False)
        except ManifestError as error:
            return {"clips": {"known": 0, "unknown": 0}, "skipped": [str(error)]}
        return self.figures(task, found)

    def _strangers(self, test: Manifest, judge: Judge) -> set[str]:
        """What made the clips that count as strangers', where the manifest says it."""
        return {r.source for r in test.rows if r.source and (r.source not in judge.sources or self._marked(r))}

    def _marked(self, row: Row) -> bool:
        """Whether a column says that a clip counts as a stranger's, whatever made it."""
        return self.unknown_column is not None and row.columns[self.unknown_column].lower() in YES

    def _scored(self, task: Task, test: Manifest, told: bool) -> Scored:
        """The clips, those that are marked counted as strangers'."""
        scored = score_rows(self.engine, task, test, traced=told, verdicts=told, progress=self.progress)
        marked = np.array([self._marked(row) for row in scored.rows])
        return replace(scored, labels=np.where(marked, STRANGER, scored.labels))

    def _groups(self, judge: Judge) -> Groups:
        return groups_of(self.manifest.rows, judge.known_cards, judge.task)
