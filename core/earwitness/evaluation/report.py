"""The evaluation as a page that people read: what was found in words, in figures, in curves and in sounds."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from earwitness.deciding import Judge
from earwitness.engine import Engine
from earwitness.evaluation.examples import mistakes, typical_clips
from earwitness.evaluation.plots import plots
from earwitness.evaluation.scoring import STRANGER, Scored
from earwitness.evaluation.words import MEANING, headline, metric_rows
from earwitness.manifest import Manifest
from earwitness.plotting import load_pyplot
from earwitness.reporting import charts
from earwitness.reporting.html import Html, beside, joined, listed, page, section, table, tag
from earwitness.reporting.maps import embedding_map, load_manifold
from earwitness.reporting.provenance import code, file_digest, provenance
from earwitness.types import IntArray, Trace

__all__ = ["Part", "check_extras", "write_report"]

SHOWN = 60
"""Classes that a confusion matrix has room for; of more, those confused most often."""
LISTED = 12
"""The most frequent confusions that are told in words."""
GROUPED = ("accuracy", "known_accepted", "far_realised", "auroc", "fpr95", "oscr", "macro_f1_open", "cllr")
"""The metrics that are told of each group of clips."""
BESIDE = ("metrics.json", "predictions.jsonl")
"""What an evaluation writes beside its page: every figure, and every verdict with the digest of its clip."""
LIMITS = (
    "The figures hold for sources, speakers and recordings like those tested. The intervals are for drawing others of "
    "the same kind, not for another world: codecs, rooms and newer versions that the test doesn't hold.",
    "The share of strangers accepted holds for strangers like those of the test. A close relative of an enrolled "
    "source is the hardest stranger there is.",
    "A probability takes known sources and strangers to be equally frequent.",
)


@dataclass(frozen=True, slots=True)
class Part:
    """What was measured of one task."""

    figures: Mapping[str, Any]
    scored: Scored
    judge: Judge


def check_extras() -> None:
    """MissingExtraError where what draws the report isn't installed: said before the work, not after it."""
    load_pyplot()
    load_manifold()


def write_report(file: Path, engine: Engine, manifest: Manifest, parts: Sequence[Part]) -> None:
    """Write the page, an article a task.

    Raises:
        MissingExtraError: matplotlib or scikit-learn isn't there.
    """
    articles = [tag("article", *_article(engine, part)) for part in parts]
    limits = section("What this does not mean", listed(LIMITS))
    origin = provenance(engine, tuple(part.judge for part in parts), _tested(file, manifest, parts))
    file.write_text(page("Earwitness evaluation", *articles, limits, origin), encoding="utf-8")


def _tested(file: Path, manifest: Manifest, parts: Sequence[Part]) -> dict[str, object]:
    """What was tested on, and the digests of what was found."""
    beside = [each for name in BESIDE if (each := file.with_name(name)).is_file()]
    return {
        "Manifest": code(manifest.path),
        "SHA-256 of the manifest": file_digest(manifest.path),
        "Split": ", ".join(dict.fromkeys(str(part.figures["split"]) for part in parts)),
        **{f"SHA-256 of {each.name}": file_digest(each) for each in beside},
        "Seed": "0, of the draws behind the intervals and of the map",
    }


def _article(engine: Engine, part: Part) -> tuple[Html, ...]:
    """All that is told of one task, the answer first."""
    figures, scored = part.figures, part.scored
    answers = _answers(scored)
    metrics = ("metric", "value", "95 % interval", "meaning")
    return (
        tag("h1", f"Open-set attribution: {figures['task']}"),
        _stamp(figures),
        *(tag("p", line, class_="lead") for line in headline(figures)),
        section("Figures", table(metrics, metric_rows(figures), "under")),
        section("Who was taken for whom", beside(_confusions(scored, answers), _most_confused(scored, answers))),
        section("Known or unknown", plots(engine.catalogue, part.judge, scored, answers)),
        section("Where the clips lie", embedding_map(scored.means, scored.labels, scored.sources)),
        *_groups(figures),
        section("What a shortcut would reach", _shortcuts(figures)),
        section("Traces in the signal itself", _traces(scored)),
        section("A typical clip of each source", typical_clips(scored, engine.catalogue.read_clip)),
        section("Worst mistakes", mistakes(scored, answers, engine.catalogue.read_clip)),
        section("Left out", listed(figures["skipped"])),
    )


def _stamp(figures: Mapping[str, Any]) -> Html:
    """What makes the figures less than they seem."""
    stamp, warning = figures.get("stamp"), figures.get("shortcut_warning")
    said = [tag("p", f"{stamp}: groups span splits.", class_="stamp")] if stamp else []
    return joined([*said, *([tag("p", warning, class_="warning")] if warning else [])])


def _answers(scored: Scored) -> IntArray:
    """What the verdicts name, (n,)."""
    place = {source: k for k, source in enumerate(scored.sources)}
    return np.array([place.get(verdict.source or "", STRANGER) for verdict in scored.verdicts], np.int64)


def _confusions(scored: Scored, answers: IntArray) -> Html:
    """Truth against answer over K + 1, the classes that occur."""
    size = len(scored.sources) + 1
    counts = np.zeros((size, size), np.int64)
    np.add.at(counts, (scored.labels, answers), 1)
    wrong = counts.sum(axis=0) + counts.sum(axis=1) - 2 * counts.diagonal()
    occurring = np.flatnonzero(counts.sum(axis=0) + counts.sum(axis=1))
    kept = np.sort(occurring[np.argsort(-wrong[occurring], kind="stable")][:SHOWN])
    names = [[*scored.sources, "unknown"][k] for k in kept]
    left = f" The {SHOWN} classes confused most often of {len(occurring)}." if len(occurring) > SHOWN else ""
    alt = f"Confusion matrix of {len(names)} classes"
    caption = f"A row a truth, a column an answer at the threshold; colour is the share of the row.{left}"
    return charts.matrix(counts[np.ix_(kept, kept)], names, names, ("truth", "answer", alt, caption))


def _most_confused(scored: Scored, answers: IntArray) -> Html:
    """The most frequent wrong answers, strangers by their own names where the manifest has them."""
    names = [*scored.sources, "unknown"]
    truths = [row.source or "unknown" for row in scored.rows]
    totals = Counter(truths)
    pairs = Counter((t, names[a]) for t, a, label in zip(truths, answers, scored.labels, strict=True) if a != label)
    rows = [(truth, answer, count, totals[truth]) for (truth, answer), count in pairs.most_common(LISTED)]
    return table(("truth", "answered", "clips", "of"), rows)


def _groups(figures: Mapping[str, Any]) -> list[Html]:
    """Near and far strangers, conditions, and the columns asked for, a table each."""
    named = {"Near and far strangers": figures.get("unknowns"), "Conditions": figures.get("conditions")}
    tables = named | {f"By {column}": values for column, values in figures["by"].items()}
    return [section(title, _grouped(values)) for title, values in tables.items() if values]


def _grouped(groups: Mapping[str, Mapping[str, Any]]) -> Html:
    """A line a group, a column a metric."""
    shown = [name for name in GROUPED if any(name in group for group in groups.values())]
    counts = [group.get("clips", {}) for group in groups.values()]
    rows = [
        (name, count.get("known"), count.get("unknown"), *(group.get(metric) for metric in shown))
        for (name, group), count in zip(groups.items(), counts, strict=True)
    ]
    heads = [tag("abbr", label, title=meaning) for label, meaning in (MEANING[name] for name in shown)]
    return table(("", "known", "unknown", *heads), rows)


def _shortcuts(figures: Mapping[str, Any]) -> Html:
    """Accuracy of baselines that hear no fingerprint, beside the registry's own."""
    if not figures["shortcuts"]:
        return Html()
    rows = [*figures["shortcuts"].items(), ("this registry", figures["accuracy"])]
    lead = tag("p", "A result that one of these nearly reaches is about the corpus, not about sources.", class_="soft")
    return joined([lead, table(("from alone", "accuracy"), rows)])


def _traces(scored: Scored) -> Html:
    """How many clips of each source show each trace."""
    truths = [row.source or "unknown" for row in scored.rows]
    shown = [{_short(trace) for trace in verdict.traces} or {"no trace"} for verdict in scored.verdicts]
    rows, columns = sorted(set(truths)), sorted(set().union(*shown))
    counts = np.zeros((len(rows), len(columns)), np.int64)
    for truth, kinds in zip(truths, shown, strict=True):
        counts[rows.index(truth), [columns.index(kind) for kind in kinds]] += 1
    alt, caption = "Clips of each source by the traces they show", "Clips of each source that show each trace."
    return charts.matrix(counts, rows, columns, ("truth", "trace", alt, f"{caption} To show none proves nothing."))


def _short(trace: Trace) -> str:
    """A trace without the other readings of its spacing, which follow in brackets."""
    return f"{trace.kind}: {trace.reading.partition(' (')[0]}"
