"""The page docs/papers.md: tables of papers with our figures beside, from benchmarks/papers/ alone."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml
from papers_answers import METRICS as OF_CLIPS
from papers_answers import drawn_figures
from papers_order import Figure, Order, order_of
from papers_read import Line, Paper, Table, key_of
from tables import markdown

from earwitness.types import FloatArray

__all__ = ["papers_page"]

OPENING = """Five papers taught Earwitness its methods. Here their tables stand with a second column: our figure, found
with our code on our data. Their corpora can't be had, so figures of one row can't be compared; what can is the *order*
of the rows: does what was better there do better here?

What this doesn't show. Our corpora are small, and `phones` is of simulated devices: speech through responses, noise and
codecs drawn for each. Networks are the `-quick` variants, narrower and trained for minutes on a processor, with one
seed: a network that loses here may need its full size. A row without a figure says why."""

AGAIN = """Everything again, and then this page; or one corpus alone, while the figures of others stay:

    bash benchmarks/papers.sh SPEECH MICROPHONES ENGINES OUT
    python benchmarks/papers.py --corpus phones=MANIFEST --out DIR --publish benchmarks/papers/measured.json
    python docs/generate.py"""

RULE = """**The rule.** Of all pairs of rows whose published figures differ, some stand in the same order with us, some
reversed, some level; Kendall's tau-b sums that up, 1 being the same order and -1 its reverse. Two of our figures are
*told apart* where the interval of their difference, of the same clips, leaves out 0 (where answers weren't kept: where
their own intervals don't overlap); times and sizes have none, so any difference is enough. Only such pairs decide:
where there are none, it *can't be told* whether the ordering held; where none of them is reversed, it *held*; where at
most a quarter is, it *held in the main*; else it *did not hold*. Intervals are 95 % bootstrap intervals over sources
and voices."""

METRICS: Mapping[str, tuple[str, float, int]] = {
    "accuracy": ("accuracy, %", 100, 1),
    "macro_f1_known": ("macro-F1 over K, %", 100, 1),
    "macro_f1_open": ("macro-F1 over K + 1, %", 100, 1),
    "auroc": ("AUROC, %", 100, 1),
    "parameters": ("parameters, million", 1e-6, 3),
    "ms_per_clip": ("ms a clip", 1, 1),
    "training_seconds": ("training, s", 1, 0),
}
"""What our figures are called, what they are multiplied by, and their decimals."""

SUMMARY = ("paper", "table", "about", "the ordering", "pairs", "told apart", "of these reversed")
UNORDERED = (
    "**Whether the ordering held can't be told**: no two rows have published figures that differ and figures of ours."
)
CORPORA = {
    "phones": "simulated devices by `examples/devices/simulate.py`, other speakers in each split, and strangers",
    "second phones": "other simulated devices, that a network is carried to: `benchmarks/papers_transfer.py`",
    "microphones": "headsets, tested in another place: `benchmarks/papers_microphones.py`, and strangers",
    "systems": "synthesis engines, with no sentence in two splits",
}
"""What each corpus of ours is of."""

Grid = Mapping[str, Any]


def papers_page(note: str, papers: Sequence[Paper], measured: Grid) -> str:
    """The whole page; `note` says who writes it."""
    parts = ["# Papers beside us", note, OPENING, basis(measured["corpora"]), AGAIN, RULE]
    parts += ["## In short", markdown(SUMMARY, summary(papers, measured))]
    parts += [part for paper in papers for part in section(paper, measured)]
    return "\n\n".join(parts) + "\n"


def basis(corpora: Grid) -> str:
    """What the figures rest on."""
    columns = ("our corpus", "of", "sources, strangers too", "clips", "leaks", "machine")
    rows = [
        (name, CORPORA[name], str(own["sources"]), str(own["clips"]), "allowed" if own["leaky"] else "none", host(own))
        for name, own in sorted(corpora.items())
    ]
    return markdown(columns, rows) if rows else "Nothing is measured yet."


def host(each: Grid) -> str:
    """The machine that a corpus was measured on."""
    machine, found = each["machine"], each["machine"]["versions"]
    libraries = " and ".join(f"{name} {found[name]}" for name in ("numpy", "torch") if name in found)
    return f"{machine['processor']}, {machine['cores']} cores" + (f", {libraries}" if libraries else "")


def summary(papers: Sequence[Paper], measured: Grid) -> Iterator[Sequence[str]]:
    """A line for each table with something to order."""
    for paper in papers:
        for each in paper.tables:
            for order in orders(each, measured):
                counts = order.pairs, order.same_apart + order.turned_apart, order.turned_apart
                yield short(paper), each.name, each.about, order.verdict, *map(str, counts)


def short(paper: Paper) -> str:
    """First author and year."""
    return f"{paper.paper.split(',')[0].split(' ')[0]} {paper.paper.split(' ')[-1]}"


def section(paper: Paper, measured: Grid) -> Iterator[str]:
    """A paper: its tables, each with its sentence."""
    yield f"## {paper.paper}"
    yield f"Published figures are of {paper.on}."
    for each in paper.tables:
        yield f"### {each.name}: {each.about}"
        if each.lines:
            yield lines(each, measured)
            yield from [order.sentence for order in orders(each, measured)] or [UNORDERED]
        if each.note:
            yield each.note
        if each.picture:
            yield f"![{each.about.capitalize()}](pictures/{each.picture}.png)"


def lines(each: Table, measured: Grid) -> str:
    """A published table and ours beside it."""
    metrics = dict.fromkeys(METRICS[line.metric][0] for line in each.lines)
    places = dict.fromkeys(f" ({line.corpus}, {line.condition})" for line in each.lines if not line.why_not)
    shared, own = (*places, "")[0] if len(places) == 1 else "", len(places) > 1
    heads = ("method", each.published, f"ours: {'; '.join(metrics)}{shared}", "recipe")
    return markdown(heads, (cells(line, measured, own) for line in each.lines))


def cells(line: Line, measured: Grid, own: bool) -> Sequence[str]:
    """A row: method, both figures, and the recipe or why there is none; its `own` corpus where rows differ in that."""
    published = "–" if line.published is None else f"{line.published:g}"
    if line.why_not:
        return line.method, published, "–", line.why_not
    where = f" ({line.corpus}, {line.condition})" if own else ""
    return line.method, published, ours(line, measured) + where, written(line)


def ours(line: Line, measured: Grid) -> str:
    """Our figure with its interval, or why there is none."""
    cell = found(line, measured)
    if cell is None or line.metric not in cell:
        return "not measured yet" if cell is None else f"failed: {cell['error']}" if "error" in cell else "can't be had"
    _, factor, digits = METRICS[line.metric]
    value, *ends = (f"{factor * each:,.{digits}f}" for each in (cell[line.metric], *span(line, cell)))
    return f"{value} [{', '.join(ends)}]" if ends else value


def found(line: Line, measured: Grid) -> Grid | None:
    """What was measured of a row: of its recipe under its condition, or by the script of its own."""
    if line.special:
        script, way = line.special
        cell: Grid | None = measured["special"].get(script, {}).get(str(way))
        return cell
    own: Grid = measured["rows"].get(line.corpus, {}).get(key_of(line.recipe), {}) if line.recipe else {}
    return own.get(line.condition)


def span(line: Line, cell: Grid) -> Sequence[float]:
    """The interval of our figure; none where it has none."""
    ends: Sequence[float] = cell["intervals"].get(line.metric, ())
    return ends


def drawn(line: Line, cell: Grid, measured: Grid) -> FloatArray | None:
    """Our figure in draws of the corpus's clips, where it is known what each was taken for."""
    if line.metric not in OF_CLIPS or "answers" not in cell:
        return None
    clips = measured["corpora"][line.corpus]
    return drawn_figures(line.metric, clips["truth"], clips["voices"], cell["answers"])


def written(line: Line) -> str:
    """The recipe of a row as YAML has it, or the script that has one."""
    if line.special:
        return f"`benchmarks/papers_{line.special[0]}.py`"
    if isinstance(line.recipe, str):
        return f"`{line.recipe}`"
    return "; ".join(f"`{name}` with `{flat(changes)}`" for name, changes in (line.recipe or {}).items())


def flat(changes: Grid) -> str:
    """Changed lines on one line."""
    text: str = yaml.safe_dump(changes, default_flow_style=True, sort_keys=False, width=float("inf"))
    return text.strip()[1:-1]


def orders(each: Table, measured: Grid) -> Iterator[Order]:
    """The order of a table's rows that were measured, metric by metric, where there is something to order."""
    for metric in dict.fromkeys(line.metric for line in each.lines):
        figures = []
        for line in each.lines:
            cell = found(line, measured) or {}
            if line.metric == metric and metric in cell and line.published is not None:
                low, high = span(line, cell) or (cell[metric], cell[metric])
                figures.append(Figure(line.published, cell[metric], low, high, drawn(line, cell, measured)))
        if (order := order_of(figures)).pairs:
            yield order
