"""The evaluation as a page that people read: figures, confusions, traces and curves, in one file without scripts."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from earwitness.calibration import Calibration
from earwitness.evaluation.metrics import macro_f1
from earwitness.evaluation.scoring import Scored
from earwitness.plotting import load_pyplot
from earwitness.types import IntArray, Trace

__all__ = ["Part", "write_report"]

STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse}td,th{padding:.2rem .8rem;text-align:left;border-bottom:1px solid #ddd}"
    "img{max-width:100%}.stamp{background:#c0392b;color:#fff;padding:.5rem 1rem}"
)
MEANING = {
    "accuracy": "clips of known sources whose first rank is right",
    "accuracy_sets": "the same, where the truth is a declared sibling of the first rank or the first rank itself",
    "macro_f1_sets": "F1 over the known sources, siblings counted as one",
    "macro_f1_open": "F1 over the known sources and 'unknown', at the threshold",
    "auroc": "probability that a known clip scores above a stranger",
    "fpr95": "strangers accepted where 95 % of known clips are",
    "oscr": "area of right answers against strangers accepted",
    "eer": "known and unknown confused equally often",
    "cllr": "cost of the likelihood ratios in bits; 1 = worthless",
    "cllr_min": "the same after the best possible calibration",
    "far_asked": "share of strangers allowed to pass",
    "far_realised": "share of strangers that passed",
}


@dataclass(frozen=True, slots=True)
class Part:
    """What was measured of one task."""

    figures: dict[str, Any]
    scored: Scored
    calibration: Calibration


def write_report(file: Path, parts: Sequence[Part]) -> None:
    """Write the page, a section a task; MissingExtraError without matplotlib."""
    head = f"<!doctype html><meta charset=utf-8><title>Earwitness evaluation</title><style>{STYLE}</style>"
    file.write_text(head + "".join(map(_section, parts)), encoding="utf-8")


def _section(part: Part) -> str:
    figures, scored, calibration = part.figures, part.scored, part.calibration
    pictures = [_confusions(scored, calibration), _histogram(scored, calibration), _sweep(scored), _traces(scored)]
    body = "".join(f'<p><img alt="{escape(name)}" src="data:image/png;base64,{png}"></p>' for name, png in pictures)
    stamp = f'<p class="stamp">{escape(figures["stamp"])}: groups span splits.</p>' if "stamp" in figures else ""
    return (
        f"<h1>Open-set attribution: {escape(str(figures['task']))}</h1>{stamp}{_table(figures)}{body}"
        f"<h2>What a shortcut would reach</h2>{_plain(figures['shortcuts'])}"
    )


def _table(figures: Mapping[str, Any]) -> str:
    """The figures with their intervals and what they mean."""
    rows = []
    for name, meaning in MEANING.items():
        low, high = figures["intervals"].get(name, (None, None))
        interval = f"{low:.3f} to {high:.3f}" if low is not None and np.isfinite([low, high]).all() else ""
        value = "" if figures[name] is None else f"{figures[name]:.3f}"
        rows.append(f"<tr><td>{name}<td>{value}<td>{interval}<td>{escape(meaning)}")
    return "<table><tr><th>metric<th>value<th>95 % interval<th>meaning" + "".join(rows) + "</table>"


def _plain(data: Mapping[str, float]) -> str:
    rows = "".join(f"<tr><td>{escape(name)}<td>{value:.3f}" for name, value in data.items())
    return f"<table><tr><th>from alone<th>accuracy{rows}</table>"


def _drawn(name: str, figure: Any) -> tuple[str, str]:
    """A figure as (name, base64 PNG)."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, bbox_inches="tight")
    load_pyplot().close(figure)
    return name, base64.b64encode(buffer.getvalue()).decode()


def _confusions(scored: Scored, calibration: Calibration) -> tuple[str, str]:
    """Truth against answer over K + 1."""
    names = [*calibration.sources, "unknown"]
    counts = np.zeros((len(names), len(names)), int)
    np.add.at(counts, (scored.labels, scored.answers(calibration.threshold)), 1)
    figure, axes = _matrix(counts, counts / np.maximum(1, counts.sum(axis=1, keepdims=True)), names, names)
    axes.set_xlabel("answer")
    axes.set_ylabel("truth")
    return _drawn("Confusions over the known sources and unknown", figure)


def _histogram(scored: Scored, calibration: Calibration) -> tuple[str, str]:
    """Knownness of known clips and of strangers, with the threshold."""
    figure, axes = load_pyplot().subplots(figsize=(8, 3))
    for chosen, label in ((scored.known, "known"), (~scored.known, "unknown")):
        axes.hist(scored.knownness[chosen], bins=40, alpha=0.6, label=label)
    axes.axvline(calibration.threshold, color="#c0392b", linestyle="--", label="threshold")
    axes.set_xlabel("knownness")
    axes.legend(frameon=False)
    return _drawn("Knownness of known clips and of strangers", figure)


def _sweep(scored: Scored) -> tuple[str, str]:
    """Macro-F1 over K + 1 at every threshold: how much hangs on the choice."""
    thresholds = np.quantile(scored.knownness, np.linspace(0, 1, 101))
    scores = [macro_f1(scored.labels, scored.answers(threshold)) for threshold in thresholds]
    figure, axes = load_pyplot().subplots(figsize=(8, 3))
    axes.plot(thresholds, scores)
    axes.set_xlabel("threshold on knownness")
    axes.set_ylabel("macro-F1, K + 1")
    return _drawn("Macro-F1 over the threshold", figure)


def _traces(scored: Scored) -> tuple[str, str]:
    """How many clips of each source show each trace."""
    truths = [row.source or "unknown" for row in scored.rows]
    shown = [{_short(trace) for trace in verdict.traces} or {"no trace"} for verdict in scored.verdicts]
    rows, columns = sorted(set(truths)), sorted(set().union(*shown))
    counts = np.zeros((len(rows), len(columns)), int)
    for truth, kinds in zip(truths, shown, strict=True):
        counts[rows.index(truth), [columns.index(kind) for kind in kinds]] += 1
    per_source = np.array([truths.count(row) for row in rows])[:, None]
    figure, axes = _matrix(counts, counts / per_source, rows, columns)
    axes.set_xlabel("trace")
    axes.set_ylabel("truth")
    return _drawn("Clips of each source that show each trace; none proves nothing", figure)


def _short(trace: Trace) -> str:
    """A trace without the other readings of its spacing, which follow in brackets."""
    return f"{trace.kind}: {trace.reading.partition(' (')[0]}"


def _matrix(counts: IntArray, shares: NDArray[np.float64], rows: Sequence[str], columns: Sequence[str]) -> Any:
    """Figure and axes of a table of counts (rows, columns), coloured by shares."""
    figure, axes = load_pyplot().subplots(figsize=(1.5 + 0.55 * len(columns), 1.2 + 0.5 * len(rows)))
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for i, j in zip(*np.nonzero(counts), strict=True):
        axes.text(j, i, counts[i, j], ha="center", va="center", fontsize=8)
    axes.set_xticks(range(len(columns)), columns, rotation=60, ha="right")
    axes.set_yticks(range(len(rows)), rows)
    return figure, axes
