"""Measuring a registry on test clips: metrics.json, predictions.jsonl, report.html.

The threshold is the one that calibration set on development clips. A manifest whose groups span splits is
refused, or every output is stamped.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from earwitness.calibration import Calibration
from earwitness.deciding import Judge
from earwitness.engine import Engine
from earwitness.errors import CalibrationError, ManifestError
from earwitness.evaluation import metrics
from earwitness.evaluation.protocol import check_pools
from earwitness.evaluation.report import Part, write_report
from earwitness.evaluation.scoring import STRANGER, Scored, score_rows, tasks_of
from earwitness.evaluation.shortcuts import shortcut_accuracies
from earwitness.manifest import Manifest, check_leaks
from earwitness.plotting import load_pyplot

__all__ = ["evaluate_registry", "measure"]

STAMP = "LEAKY SPLIT"
YES = {"1", "true", "yes", "unknown"}
RESAMPLED = (
    "accuracy",
    "accuracy_sets",
    "macro_f1_known",
    "macro_f1_sets",
    "macro_f1_open",
    "auroc",
    "fpr95",
    "oscr",
    "eer",
)


def evaluate_registry(
    engine: Engine,
    manifest: Manifest,
    out: Path,
    *,
    split: str = "test",
    unknown_column: str | None = None,
    by: Sequence[str] = (),
    allow_leak: bool = False,
) -> list[dict[str, Any]]:
    """Measure every task that has clips in the split, and write what was found into `out`.

    Args:
        engine: The registry under test, calibrated.
        manifest: All splits, so that leaks between them can be seen.
        out: A folder; made where it is missing.
        split: The split to test on.
        unknown_column: A column that is 1 for clips to count as strangers, whatever made them.
        by: Columns whose values are reported apart too.
        allow_leak: Go on though groups span splits; every output says so.

    Raises:
        ManifestError: groups span splits, strangers of development stand in the test, a column is missing, or no
            clip can be counted.
        CalibrationError: the registry has no threshold, or changed since it was set.
        MissingExtraError: matplotlib, which the report needs, isn't there; said before the work, not after it.
    """
    load_pyplot()
    leaks = check_leaks(manifest)
    if leaks and not allow_leak:
        raise ManifestError(
            f"{manifest.path}: {len(leaks)} groups span splits; first: {leaks[0]}; mend the splits or give --allow-leak"
        )
    test = manifest.select(split=split)
    out.mkdir(parents=True, exist_ok=True)
    stamp = {"stamp": STAMP, "leaks": leaks} if leaks else {}
    parts = []
    for task in tasks_of(engine, test):
        judge = engine.judge(task)
        calibration = _current(judge)
        scored = _with_strangers(score_rows(engine, task, test, traced=True), unknown_column)
        if not leaks:
            _check_strangers(scored, calibration)
        shortcuts = shortcut_accuracies(manifest.select(task=task), split)
        figures = {"task": task, "split": split, **stamp, **measure(scored, calibration, by), "shortcuts": shortcuts}
        parts.append(Part(figures, scored, calibration))
    results = [part.figures for part in parts]
    _write(out / "metrics.json", json.dumps(results[0] if len(results) == 1 else results, indent=2, allow_nan=False))
    lines = [json.dumps(row, allow_nan=False) for part in parts for row in _predictions(part.scored)]
    _write(out / "predictions.jsonl", "\n".join(lines))
    write_report(out / "report.html", parts)
    return results


def measure(scored: Scored, calibration: Calibration, by: Sequence[str] = ()) -> dict[str, Any]:
    """Every figure of one task, with 95 % intervals over sources and speakers."""
    for column in by:
        _require(scored, column, "--by")
    table = _Table.of(scored, calibration)
    everything = np.arange(len(scored.rows))
    figures = table.figures(everything)
    sources = [row.source or "" for row in scored.rows]
    speakers = [row.columns.get("speaker") or row.columns.get("corpus") or str(row.line) for row in scored.rows]
    figures["intervals"] = {
        name: _finite(metrics.bootstrap(partial(table.figure, name), [sources, speakers], scored.known, count=200))
        for name in RESAMPLED
    }
    figures["by"] = {column: table.by([row.columns[column] for row in scored.rows]) for column in by}
    figures["siblings"] = [list(each) for each in calibration.siblings]
    figures["skipped"] = list(scored.skipped)
    return figures


@dataclass(frozen=True, slots=True)
class _Table:
    """One line a clip: what is true, what was answered, and what was promised of the answer.

    `kin` (K + 1,) gives each source's set of siblings a number, and a stranger, who is last, his own.
    """

    labels: NDArray[np.int64]
    first: NDArray[np.int64]
    answers: NDArray[np.int64]
    knownness: NDArray[np.float64]
    log10_lr: NDArray[np.float64]
    confidence: NDArray[np.float64]
    sets: NDArray[np.bool_]
    kin: NDArray[np.int64]
    far: float

    @classmethod
    def of(cls, scored: Scored, calibration: Calibration) -> "_Table":
        knownness = scored.knownness.astype(np.float64)
        answers = scored.answers(calibration.threshold)
        probabilities = [calibration.probabilities(v, k) for v, k in zip(scored.values, knownness, strict=True)]
        unknown = np.array([calibration.unknown_probability(k) for k in knownness])
        best = np.array([p.max() for p in probabilities])
        return cls(
            labels=scored.labels,
            first=scored.values.argmax(axis=1),
            answers=answers,
            knownness=knownness,
            log10_lr=np.array([calibration.log10_lr(k) for k in knownness]),
            confidence=np.where(answers == STRANGER, unknown, best),
            sets=np.array([calibration.prediction_set(v) for v in scored.values]),
            kin=_kin(scored.sources, calibration),
            far=calibration.far,
        )

    def figures(self, rows: NDArray[np.int64]) -> dict[str, Any]:
        """Every metric over some of the clips; null where they can't bear it."""
        return {name: _finite(compute()) for name, compute in self._metrics(rows).items()}

    def figure(self, name: str, rows: NDArray[np.int64]) -> float:
        """One metric, NaN where the clips can't bear it."""
        return float(self._metrics(rows)[name]())

    def _metrics(self, rows: NDArray[np.int64]) -> dict[str, Callable[[], Any]]:
        """How to compute each metric over some of the clips: a bootstrap asks one of them hundreds of times."""
        labels, known = self.labels[rows], self.labels[rows] != STRANGER
        knownness, lr, right = self.knownness[rows], self.log10_lr[rows], (self.first == self.labels)[rows]
        pair = knownness[known], knownness[~known]
        accepted = self.answers[rows] != STRANGER
        merged = self.kin[labels[known]], self.kin[self.first[rows][known]]
        return {
            "clips": lambda: {"known": int(known.sum()), "unknown": int((~known).sum())},
            "accuracy": lambda: metrics.accuracy(labels[known], self.first[rows][known]),
            "accuracy_sets": lambda: metrics.accuracy(*merged),
            "macro_f1_known": lambda: metrics.macro_f1(labels[known], self.first[rows][known]),
            "macro_f1_sets": lambda: metrics.macro_f1(*merged),
            "macro_f1_open": lambda: metrics.macro_f1(labels, self.answers[rows]),
            "auroc": lambda: metrics.auroc(*pair),
            "fpr95": lambda: metrics.fpr95(*pair),
            "oscr": lambda: metrics.oscr(right[known], *pair),
            "dir_at_far": lambda: {str(far): metrics.dir_at_far(right[known], *pair, far) for far in (0.01, 0.1)},
            "eer": lambda: metrics.eer(*pair),
            "cllr": lambda: metrics.cllr(lr[known], lr[~known]),
            "cllr_min": lambda: metrics.cllr_min(*pair),
            "coverage": lambda: metrics.coverage(self.sets[rows][known], labels[known])[0],
            "ece": lambda: metrics.ece(self.confidence[rows], self.answers[rows] == labels),
            "far_asked": lambda: self.far,
            "far_realised": lambda: float(accepted[~known].mean()) if (~known).any() else None,
            "known_accepted": lambda: float(accepted[known].mean()) if known.any() else None,
        }

    def by(self, values: Sequence[str]) -> dict[str, Any]:
        """The figures of each value of a column."""
        column = np.array(values)
        return {value: self.figures(np.flatnonzero(column == value)) for value in dict.fromkeys(values)}


def _kin(sources: Sequence[str], calibration: Calibration) -> NDArray[np.int64]:
    """The number of each source's set of siblings, declared on development clips; a source without any is a set."""
    leaders = [(calibration.siblings_of(source) or (source,))[0] for source in sources]
    return np.array([*(sources.index(leader) for leader in leaders), STRANGER], np.int64)


def _finite(data: Any) -> Any:
    """Plain data with null for what is not a number."""
    if isinstance(data, Mapping):
        return {key: _finite(value) for key, value in data.items()}
    if isinstance(data, tuple):
        return [_finite(value) for value in data]
    return None if isinstance(data, float) and not np.isfinite(data) else data


def _with_strangers(scored: Scored, column: str | None) -> Scored:
    """Count the clips that a column marks as strangers, whatever made them."""
    if column is None:
        return scored
    _require(scored, column, "--unknown-column")
    marked = np.array([row.columns[column].lower() in YES for row in scored.rows])
    return replace(scored, labels=np.where(marked, STRANGER, scored.labels))


def _require(scored: Scored, column: str, option: str) -> None:
    if missing := [row for row in scored.rows if column not in row.columns]:
        raise ManifestError(f"line {missing[0].line}: there is no column {column!r}; name another with {option}")


def _current(judge: Judge) -> Calibration:
    """The calibration to test, set on the rows that are enrolled now."""
    if judge.calibration is None:
        raise CalibrationError(
            "this registry has no threshold to test: run 'earwitness calibrate' on development clips"
        )
    if judge.stale:
        raise CalibrationError(f"this registry was {judge.stale}")
    return judge.calibration


def _check_strangers(scored: Scored, calibration: Calibration) -> None:
    """Strangers that set the threshold stay out of the test."""
    families = {row.source: row.columns.get("family", "") for row in scored.rows if row.source}
    check_pools(calibration.stranger_sources, scored.strangers, {k: v for k, v in families.items() if v})


def _predictions(scored: Scored) -> Iterator[dict[str, Any]]:
    """The verdicts, each with what is true and what it was counted as."""
    names = [*scored.sources, None]
    for row, label, verdict in zip(scored.rows, scored.labels, scored.verdicts, strict=True):
        yield {**verdict.to_dict(), "truth": row.source, "counted_as": names[label]}


def _write(file: Path, text: str) -> None:
    file.write_text(text + "\n", encoding="utf-8")
