"""Every figure of one task with its interval: of all clips, of near and far strangers, and by columns."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from earwitness.calibration import Calibration
from earwitness.evaluation.intervals import draws, interval
from earwitness.evaluation.scoring import Scored
from earwitness.evaluation.table import FARS, Groups, Rows, Table
from earwitness.manifest import Row
from earwitness.types import Task

__all__ = ["measure"]

DRAWS = 200
FEW = 20
"""Values of a column up to which each gets intervals."""


def measure(
    scored: Scored,
    calibration: Calibration,
    by: Sequence[str] = (),
    resample: str | None = None,
    groups: Groups | None = None,
    cards: Groups | None = None,
    task: Task = "system",
) -> dict[str, Any]:
    """Every figure of one task, with 95 % intervals over sources and, within them, voices.

    Args:
        scored: The clips.
        calibration: What they were answered by.
        by: Columns whose values are reported apart too; intervals only where there are few.
        resample: The column whose values are drawn within sources for the intervals; by default the voice of a
            clip, else its `text_id`. A clip that says nothing is drawn for itself.
        groups: The true groups of a source, where it has some: its family, or a device's model and brand. A stranger
            of an enrolled one is near, others far.
        cards: The groups that verdicts name for an enrolled source; the true ones by default.
        task: What is asked, which tells how a manifest names groups.
    """
    units = _groups(scored.rows, resample)
    table = Table.of(scored, calibration, groups or {}, (groups or {}) if cards is None else cards, task)
    pools = {"near": table.near, "far": ~(table.known | table.near)}
    return {
        **_figures(table, np.arange(len(scored.rows)), units),
        "unknowns": {
            name: _with_intervals(table, np.flatnonzero(table.known | chosen), units, table.told_apart)
            for name, chosen in pools.items()
        },
        "by": {column: _by(table, _split(scored.rows, column), units) for column in by},
        "resampled": ["source", resample or "voice"],
        "siblings": [list(each) for each in calibration.siblings],
        "skipped": list(scored.skipped),
    }


def _groups(rows: Sequence[Row], resample: str | None) -> Sequence[Rows]:
    """The source of each clip and its voice, as numbers."""
    voices = [row.columns[resample] if resample else row.voice or row.columns.get("text_id") for row in rows]
    apart = [voice or f"line {row.line}" for voice, row in zip(voices, rows, strict=True)]
    sources = [row.source or "" for row in rows]
    return np.unique(sources, return_inverse=True)[1], np.unique(apart, return_inverse=True)[1]


def _split(rows: Sequence[Row], column: str) -> dict[str, Rows]:
    """Each value of a column with the numbers of its clips, in order of first appearance."""
    values = np.array([row.columns[column] for row in rows])
    return {value: np.flatnonzero(values == value) for value in dict.fromkeys(values.tolist())}


def _by(table: Table, parts: Mapping[str, Rows], groups: Sequence[Rows]) -> dict[str, Any]:
    """The figures of the clips of each value of a column."""
    count = DRAWS if len(parts) <= FEW else 0
    return {value: _figures(table, rows, groups, count) for value, rows in parts.items()}


def _figures(table: Table, rows: Rows, groups: Sequence[Rows], count: int = DRAWS) -> dict[str, Any]:
    """All there is to say of some of the clips."""
    found = _with_intervals(table, rows, groups, table.metrics, count)
    rates = {str(far): found.pop(f"dir_at_far_{far}") for far in FARS}
    return {**found, "dir_at_far": rates, "far_asked": table.far}


def _with_intervals(
    table: Table, rows: Rows, groups: Sequence[Rows], compute: Callable[[Rows], dict[str, float]], count: int = DRAWS
) -> dict[str, Any]:
    """Some metrics over some of the clips, and their intervals; null where they can't bear it."""
    ordered = rows[np.argsort(table.knownness[rows])]  # so that no draw has much to sort
    known = table.known[ordered]
    drawn = [compute(ordered[each]) for each in draws([group[ordered] for group in groups], known, count)]
    found = compute(ordered)
    return {
        "clips": {"known": int(known.sum()), "unknown": int((~known).sum())},
        **{name: _finite(value) for name, value in found.items()},
        "intervals": {name: [*map(_finite, interval(each[name] for each in drawn))] for name in found},
    }


def _finite(value: float) -> float | None:
    """A figure, null for what is not a number."""
    return value if np.isfinite(value) else None
