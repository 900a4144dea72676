"""Verdicts as pictures."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from earwitness.errors import MissingExtraError, OptionError
from earwitness.types import Verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["load_pyplot", "plot_verdicts"]

KNOWN, UNKNOWN = "#20639b", "#b0b7bf"
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
    """One row a verdict: the ranking on the left, the timeline of windows against the threshold on the right."""
    pyplot = load_pyplot()
    if len(verdicts) > ROWS:
        raise OptionError(f"--plot draws at most {ROWS} verdicts, not {len(verdicts)}: name fewer clips")
    figure, axes = pyplot.subplots(len(verdicts), 2, figsize=(11, 2.4 * len(verdicts)), squeeze=False)
    for verdict, (left, right) in zip(verdicts, axes, strict=True):
        _ranking(verdict, left)
        _timeline(verdict, right)
    figure.tight_layout()
    figure.savefig(out, dpi=120)
    pyplot.close(figure)


def _ranking(verdict: Verdict, axes: "Axes") -> None:
    ranks = verdict.ranking[::-1]
    widths = [rank.similarity if rank.probability is None else rank.probability for rank in ranks]
    colours = [KNOWN if rank.source == verdict.source else UNKNOWN for rank in ranks]
    axes.barh([rank.source for rank in ranks], widths, color=colours)
    axes.set_title(f"{Path(verdict.clip).name}: {verdict.source or verdict.verdict}", loc="left", fontsize=10)
    axes.set_xlabel("score" if verdict.probability is None else "probability")
    axes.spines[["top", "right"]].set_visible(False)


def _timeline(verdict: Verdict, axes: "Axes") -> None:
    for segment in verdict.segments:
        colour = KNOWN if segment.source else UNKNOWN
        axes.plot([segment.start, segment.end], [segment.knownness] * 2, color=colour, linewidth=4, alpha=0.8)
        axes.annotate(segment.source or "unknown", (segment.start, segment.knownness), fontsize=7, va="bottom")
    if verdict.threshold is not None:
        axes.axhline(verdict.threshold, color="#c0392b", linestyle="--", linewidth=1, label="threshold")
        axes.legend(loc="lower right", fontsize=7, frameon=False)
    axes.set_xlabel("seconds")
    axes.set_ylabel("knownness")
    axes.spines[["top", "right"]].set_visible(False)
