"""Verdicts and traces as pictures."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from earwitness.errors import MissingExtraError, OptionError
from earwitness.tracing import NOTHING, Traced
from earwitness.types import Verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "KNOWN",
    "PALETTE",
    "THIRD",
    "UNKNOWN",
    "draw_timeline",
    "load_pyplot",
    "plot_traces",
    "plot_verdicts",
]

PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d31")
"""Colours that the colour-blind can tell (Okabe and Ito 2008), their yellow darkened to be seen on white."""
KNOWN, UNKNOWN, THIRD = PALETTE[:3]
GREY = "#9aa5af"
COLOURS = {"upsampling": UNKNOWN, "codec": GREY}
ROWS = 12


def load_pyplot() -> Any:
    """`matplotlib.pyplot` drawing to files; MissingExtraError when it isn't installed."""
    try:
        import matplotlib as mpl
    except ImportError as error:
        raise MissingExtraError("drawing", "report") from error
    mpl.use("Agg")
    mpl.rcParams["text.parse_math"] = False  # a '$' in a file's name is a '$'
    from matplotlib import pyplot

    return pyplot


def plot_verdicts(verdicts: Sequence[Verdict], out: Path) -> None:
    """One row a verdict: the ranking, the timeline of windows against the threshold, and the traces."""
    figure, axes = _grid(len(verdicts), 3)
    for verdict, (left, middle, right) in zip(verdicts, axes, strict=True):
        _ranking(verdict, left)
        draw_timeline(verdict, middle)
        _traces(verdict, right)
    _save(figure, out)


def plot_traces(clips: Sequence[Traced], out: Path) -> None:
    """One row a clip: the lines of its traces over frequency."""
    figure, axes = _grid(len(clips), 1)
    for clip, (only,) in zip(clips, axes, strict=True):
        _traces(clip, only, f"{Path(clip.clip).name}\n")
    _save(figure, out)


def _grid(rows: int, columns: int) -> tuple["Figure", Any]:
    """A figure and its axes (rows, columns)."""
    if rows > ROWS:
        raise OptionError(f"--plot draws at most {ROWS} rows, not {rows}: name fewer clips")
    size = (max(9, 5.5 * columns), 2.6 * rows)
    figure, axes = load_pyplot().subplots(rows, columns, figsize=size, squeeze=False)
    return figure, axes


def _save(figure: "Figure", out: Path) -> None:
    figure.tight_layout()
    figure.savefig(out, dpi=120)
    load_pyplot().close(figure)


def _ranking(verdict: Verdict, axes: "Axes") -> None:
    ranks = verdict.ranking[::-1]
    widths = [rank.similarity if rank.probability is None else rank.probability for rank in ranks]
    named = verdict.siblings or (verdict.source,)
    colours = [KNOWN if rank.source in named else GREY for rank in ranks]
    axes.barh([rank.source for rank in ranks], widths, color=colours)
    title = f"{Path(verdict.clip).name}: {' or '.join(filter(None, named)) or verdict.verdict}"
    experts = [f"experts: {', '.join(map(str, verdict.experts))}"] if verdict.experts else []
    axes.set_title("\n".join([title, *experts]), loc="left", fontsize=10)
    axes.set_xlabel("score" if verdict.probability is None else "probability")
    axes.spines[["top", "right"]].set_visible(False)


def draw_timeline(verdict: Verdict, axes: "Axes") -> None:
    """The windows of a clip by their knownness, in a colour a source, grey where unknown; and the threshold."""
    named = dict.fromkeys(segment.source for segment in verdict.segments if segment.source)
    colours = {source: PALETTE[i % len(PALETTE)] for i, source in enumerate(named)}
    for source, colour in ((None, GREY), *colours.items()):
        own = [segment for segment in verdict.segments if segment.source == source]
        if own:
            heights, starts, ends = zip(*((each.knownness, each.start, each.end) for each in own), strict=True)
            axes.hlines(heights, starts, ends, color=colour, linewidth=4, label=source or "unknown")
    if verdict.threshold is not None:
        axes.axhline(verdict.threshold, color="#1d2329", linestyle=":", linewidth=1, label="threshold")
    if verdict.mixed:
        axes.axvline(verdict.mixed.at, color="#1d2329", linewidth=1, label="change of source")
    if verdict.segments:
        axes.legend(loc="upper left", bbox_to_anchor=(0, -0.25), ncols=3, fontsize=8, frameon=False)
    axes.set_xlabel("seconds", loc="right")
    axes.set_ylabel("knownness")
    axes.margins(y=0.15)
    axes.spines[["top", "right"]].set_visible(False)


def _traces(clip: Verdict | Traced, axes: "Axes", name: str = "") -> None:
    """A stem as high as z at each line of each trace, its k above it."""
    for trace in clip.traces:
        places = [line * trace.spacing_hz for line in trace.lines]
        axes.vlines(places, 0, trace.z, color=COLOURS[trace.kind])
        for line, place in zip(trace.lines, places, strict=True):
            axes.annotate(str(line), (place, trace.z), fontsize=7, ha="center", va="bottom")
    readings = [f"{trace.kind}, every {trace.spacing_hz:.5g} Hz: {trace.reading}" for trace in clip.traces]
    axes.set_title(name + "\n".join(readings or [clip.error or NOTHING]), loc="left", fontsize=8)
    if not clip.traces:
        axes.set_axis_off()
        return
    axes.set(xlabel="Hz (numbers: times the spacing)", ylabel="z")
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.spines[["top", "right"]].set_visible(False)
