"""Measuring a registry on test clips: metrics.json, predictions.jsonl, report.html.

The threshold is the one that calibration set on development clips. A manifest whose groups span splits is
refused, or every output is stamped.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from earwitness.deciding import Judge
from earwitness.engine import Engine
from earwitness.errors import ManifestError
from earwitness.evaluation.conditions import choose_conditions, conditioned
from earwitness.evaluation.measuring import measure
from earwitness.evaluation.progress import Progress, unwatched
from earwitness.evaluation.protocol import check_pools, current, found_leaks, groups_of, require
from earwitness.evaluation.report import Part, check_extras, write_report
from earwitness.evaluation.scoring import STRANGER, Scored, score_rows, tasks_of
from earwitness.evaluation.shortcuts import shortcut_accuracies, shortcut_warning
from earwitness.evaluation.table import Groups
from earwitness.manifest import Manifest, Row
from earwitness.types import Task

__all__ = ["evaluate_registry"]

STAMP = "LEAKY SPLIT"
YES = {"1", "true", "yes", "unknown"}


def evaluate_registry(
    engine: Engine,
    manifest: Manifest,
    out: Path,
    *,
    split: str = "test",
    unknown_column: str | None = None,
    by: Sequence[str] = (),
    resample: str | None = None,
    conditions: Sequence[str] = (),
    allow_leak: bool = False,
    progress: Progress = unwatched,
) -> list[dict[str, Any]]:
    """Measure every task that has clips in the split, and write what was found into `out`.

    Args:
        engine: The registry under test, calibrated.
        manifest: All splits, so that leaks between them can be seen.
        out: A folder; made where it is missing.
        split: The split to test on.
        unknown_column: A column that is 1 for clips to count as strangers, whatever made them.
        by: Columns whose values are reported apart too.
        resample: The column whose values are drawn within sources for the intervals, in place of voices.
        conditions: What to do to the clips and measure them again, by name, or 'all'.
        allow_leak: Go on though groups span splits; every output says so.
        progress: Shows how many clips have been heard.

    Raises:
        ManifestError: groups span splits, strangers of development stand in the test, a column is missing, or no
            clip can be counted.
        CalibrationError: the registry has no threshold, or changed since it was set.
        OptionError: there is no such condition, or this machine lacks its codec.
        MissingExtraError: what draws the report isn't there; said before the work, not after it.
    """
    check_extras()
    leaks = found_leaks(manifest, allow_leak)
    test = manifest.select(split=split)
    _check_columns(test, unknown_column, by, resample)
    grid = choose_conditions(conditions, engine.catalogue)
    out.mkdir(parents=True, exist_ok=True)
    asked = _Asked(engine, manifest, split, unknown_column, by, resample, grid, leaks, progress)
    parts = [asked.part(task) for task in tasks_of(engine, test)]
    results = [dict(part.figures) for part in parts]
    _write(out / "metrics.json", json.dumps(results[0] if len(results) == 1 else results, indent=2, allow_nan=False))
    lines = [json.dumps(row, allow_nan=False) for part in parts for row in _predictions(part.scored)]
    _write(out / "predictions.jsonl", "\n".join(lines))
    write_report(out / "report.html", engine, test, parts)
    return results


def _check_columns(test: Manifest, unknown_column: str | None, by: Sequence[str], resample: str | None) -> None:
    """ManifestError where a column that was asked for is missing."""
    for option, columns in (("--unknown-column", [unknown_column]), ("--by", by), ("--resample", [resample])):
        for column in filter(None, columns):
            require(test, column, option)


@dataclass(frozen=True)
class _Asked:
    """What `evaluate_registry` was asked for, and the groups that span splits."""

    engine: Engine
    manifest: Manifest
    split: str
    unknown_column: str | None
    by: Sequence[str]
    resample: str | None
    conditions: Sequence[str]
    leaks: Sequence[str]
    progress: Progress

    def part(self, task: Task) -> Part:
        """What is found of one task."""
        judge, manifest = self.engine.judge(task), self.manifest.select(task=task)
        calibration, test = current(judge), manifest.select(split=self.split)
        if not self.leaks:
            families = {source: groups[0] for source, groups in self._groups(judge).items()}
            check_pools(calibration.stranger_sources, self._strangers(test, judge), families)
        scored = self._scored(task, test, told=True)
        shortcuts = shortcut_accuracies(manifest, self.split, self.progress)
        plain = self._measured(scored, judge, self.by)
        figures = {
            "task": task,
            "split": self.split,
            **({"stamp": STAMP, "leaks": self.leaks} if self.leaks else {}),
            **plain,
            "shortcuts": shortcuts,
            "shortcut_warning": shortcut_warning(plain["accuracy"], shortcuts),
            "conditions": {name: self._after(name, scored, judge) for name in self.conditions},
        }
        return Part(figures, scored, judge)

    def _strangers(self, test: Manifest, judge: Judge) -> set[str]:
        """What made the clips that count as strangers', where the manifest says it."""
        return {r.source for r in test.rows if r.source and (r.source not in judge.sources or self._marked(r))}

    def _marked(self, row: Row) -> bool:
        """Whether a column says that a clip counts as a stranger's, whatever made it."""
        return self.unknown_column is not None and row.columns[self.unknown_column].lower() in YES

    def _scored(self, task: Task, test: Manifest, told: bool) -> Scored:
        """The clips, those that are marked counted as strangers'; verdicts and traces where they are `told`."""
        scored = score_rows(self.engine, task, test, traced=told, verdicts=told, progress=self.progress)
        marked = np.array([self._marked(row) for row in scored.rows])
        return replace(scored, labels=np.where(marked, STRANGER, scored.labels))

    def _groups(self, judge: Judge) -> Groups:
        return groups_of(self.manifest.rows, judge.known_cards, judge.task)

    def _measured(self, scored: Scored, judge: Judge, by: Sequence[str] = ()) -> dict[str, Any]:
        """The figures of clips."""
        cards = {source: judge.groups_of(source) for source in judge.sources}
        return measure(scored, current(judge), by, self.resample, self._groups(judge), cards, judge.task)

    def _after(self, name: str, scored: Scored, judge: Judge) -> dict[str, Any]:
        """The figures of the clips that were counted, after a condition; without any where it leaves none to count."""
        with TemporaryDirectory() as folder:
            rows = conditioned(scored.rows, name, Path(folder), self.engine.catalogue, self.progress)
            try:
                found = self._scored(judge.task, Manifest(self.manifest.path, rows), told=False)
            except ManifestError as error:
                return {"clips": {"known": 0, "unknown": 0}, "skipped": [str(error)]}
        return self._measured(found, judge)


def _predictions(scored: Scored) -> Iterator[dict[str, Any]]:
    """The verdicts, each with what is true and what it was counted as."""
    names = [*scored.sources, None]
    for row, label, verdict in zip(scored.rows, scored.labels, scored.verdicts, strict=True):
        yield {**verdict.to_dict(), "truth": row.source, "counted_as": names[label]}


def _write(file: Path, text: str) -> None:
    file.write_text(text + "\n", encoding="utf-8")
