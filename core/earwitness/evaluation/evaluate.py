"""Measuring a registry on test clips: metrics.json, predictions.jsonl, report.html.

The threshold is the one that calibration set on development clips. A manifest whose groups span splits is
refused, or every output is stamped.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from earwitness.engine import Engine
from earwitness.evaluation.conditions import choose_conditions
from earwitness.evaluation.progress import Progress, unwatched
from earwitness.evaluation.protocol import found_leaks, require
from earwitness.evaluation.report import Part, check_extras, write_report
from earwitness.evaluation.scoring import Scored, tasks_of
from earwitness.evaluation.shortcuts import shortcut_accuracies, shortcut_warning
from earwitness.evaluation.trial import Trial
from earwitness.manifest import Manifest
from earwitness.types import Task

__all__ = ["evaluate_registry"]

STAMP = "LEAKY SPLIT"


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
    trial = Trial(engine, manifest, split, unknown_column, resample, leaks, progress)
    parts = [_part(trial, task, by, grid) for task in tasks_of(engine, test)]
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


def _part(trial: Trial, task: Task, by: Sequence[str], conditions: Sequence[str]) -> Part:
    """What is found of one task."""
    scored = trial.hear(task, told=True)
    shortcuts = shortcut_accuracies(trial.manifest.select(task=task), trial.split, trial.progress)
    plain = trial.figures(task, scored, by)
    figures = {
        "task": task,
        "split": trial.split,
        **({"stamp": STAMP, "leaks": trial.leaks} if trial.leaks else {}),
        **plain,
        "shortcuts": shortcuts,
        "shortcut_warning": shortcut_warning(plain["accuracy"], shortcuts),
        "conditions": {name: _after(trial, name, task, scored) for name in conditions},
    }
    return Part(figures, scored, trial.engine.judge(task))


def _after(trial: Trial, condition: str, task: Task, scored: Scored) -> dict[str, Any]:
    """The figures after a condition, whose clips are gone afterwards."""
    with TemporaryDirectory() as folder:
        return trial.after(condition, task, scored, Path(folder))


def _predictions(scored: Scored) -> Iterator[dict[str, Any]]:
    """The verdicts, each with what is true and what it was counted as."""
    names = [*scored.sources, None]
    for row, label, verdict in zip(scored.rows, scored.labels, scored.verdicts, strict=True):
        yield {**verdict.to_dict(), "truth": row.source, "counted_as": names[label]}


def _write(file: Path, text: str) -> None:
    file.write_text(text + "\n", encoding="utf-8")
