"""The charts of an evaluation: each takes arrays and gives a picture with its words."""

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from earwitness.plotting import KNOWN, THIRD, UNKNOWN
from earwitness.reporting.drawing import drawn, shortened
from earwitness.reporting.html import Html, picture
from earwitness.types import IntArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["det", "histogram", "matrix", "operating_curve", "reliability_diagram", "sweeps", "tippett"]

Array = NDArray[np.float64]
Curve = tuple[Array, Array]

STYLES = ((KNOWN, "-"), (UNKNOWN, "--"), (THIRD, "-."))
"""Colour and dash of lines that are compared: either alone tells them apart."""
CELLS = ((16, (0.42, 8.5)), (40, (0.24, 7.0)), (math.inf, (0.165, 5.2)))
"""Columns, or five rows for each, up to which cells of a matrix are so many inches wide and letters so many points."""
SMALL = 5.0
"""Inches up to which a picture is read on a phone without scrolling."""
RATES = (0.001, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.99)
"""Where the axes of a DET plot have marks."""


def matrix(counts: IntArray, rows: Sequence[str], columns: Sequence[str], words: tuple[str, str, str, str]) -> Html:
    """A table of counts (rows, columns) as a picture, coloured by the share of each row.

    `words` are the names of rows and columns, the alternative text, and the caption.
    """
    cell, font = next(look for least, look in CELLS if max(len(rows) // 5, len(columns)) <= least)
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    margin = 0.3 + 0.075 * font / 8.5 * max(len(shortened(name)) for name in (*rows, *columns))
    size = (max(3.2, margin + cell * len(columns)), max(1.8, margin + cell * len(rows)))
    uri = drawn(lambda axes: _cells(axes, counts, shares, (rows, columns), (*words[:2], font)), size)
    return picture(uri, *words[2:], "plot" if size[0] <= SMALL else "wide")


def _cells(
    axes: "Axes",
    counts: IntArray,
    shares: Array,
    names: tuple[Sequence[str], Sequence[str]],
    look: tuple[str, str, float],
) -> None:
    """Cells with their counts, coloured by shares; `look` is what rows and columns are, and the size of letters."""
    of_rows, of_columns, font = look
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for i, j in zip(*np.nonzero(counts), strict=True):
        ink = "white" if shares[i, j] > 0.5 else "#1d2329"
        axes.text(j, i, str(counts[i, j]), ha="center", va="center", fontsize=font, color=ink)
    rows, columns = ([shortened(name) for name in each] for each in names)
    axes.set_xticks(range(len(columns)), columns, rotation=90, fontsize=font)
    axes.set_yticks(range(len(rows)), rows, fontsize=font)
    axes.tick_params(length=0)
    axes.set(xlabel=of_columns, ylabel=of_rows)
    axes.spines[:].set_visible(False)


def histogram(known: Array, strangers: Array, threshold: float) -> Html:
    """Knownness of known clips (n,) and strangers (m,) as shares of each, with the threshold."""

    def paint(axes: "Axes") -> None:
        edges = np.histogram_bin_edges(np.concatenate([known, strangers]), bins=32).tolist()
        for scores, label, colour in ((known, "known", KNOWN), (strangers, "unknown", UNKNOWN)):
            if len(scores):
                weights = np.full(len(scores), 100 / len(scores))
                axes.hist(scores, bins=edges, weights=weights, alpha=0.6, color=colour, label=label)
        axes.axvline(threshold, color="#1d2329", linestyle=":", label="threshold")
        axes.set(xlabel="knownness", ylabel="% of clips")
        axes.legend()

    alt = "Histogram of the knownness of known and unknown clips, with the threshold"
    return picture(drawn(paint), alt, "Knownness of known clips and of strangers. Right of the threshold is accepted.")


def sweeps(curves: Mapping[str, Curve], here: tuple[float, float]) -> Html:
    """Macro-F1 of several rules against the share they turn away; `here` is where the chosen threshold stands."""

    def paint(axes: "Axes") -> None:
        for (name, (turned_away, f1)), (colour, dash) in zip(curves.items(), STYLES, strict=False):
            axes.plot(100 * turned_away, f1, color=colour, linestyle=dash, label=f"{name}, best {f1.max():.2f}")
        axes.plot(100 * here[0], here[1], "o", color="#1d2329", label=f"threshold in use, {here[1]:.2f}")
        axes.set(xlabel="% of clips called unknown", ylabel="macro-F1 over K + 1", ylim=(0, 1.02))
        axes.legend()

    alt = f"Macro-F1 over the threshold for {', '.join(curves)}"
    return picture(
        drawn(paint), alt, "Threshold sweep. Each rule at every threshold, from accepting all clips to accepting none."
    )


def operating_curve(curve: Curve, here: tuple[float, float], words: tuple[str, str, str]) -> Html:
    """Strangers accepted against a share of known clips, and the threshold in use; `words` are y-axis, alt, caption."""

    def paint(axes: "Axes") -> None:
        axes.plot(100 * curve[0], 100 * curve[1], color=KNOWN)
        axes.plot(100 * here[0], 100 * here[1], "o", color=UNKNOWN, label="threshold in use")
        axes.set(xlabel="% of strangers accepted", ylabel=words[0], xlim=(-1, 101), ylim=(-1, 101))
        axes.legend(loc="lower right")

    return picture(drawn(paint), *words[1:])


def det(curve: Curve) -> Html:
    """Misses of known clips against strangers accepted, on axes where normal scores give a straight line."""
    inside = (curve[0] > 0) & (curve[0] < 1) & (curve[1] > 0) & (curve[1] < 1)

    def paint(axes: "Axes") -> None:
        axes.plot(probit(curve[0][inside]), probit(1 - curve[1][inside]), color=KNOWN)
        marks, span = probit(np.array(RATES)), (-3.1, 2.4)
        axes.plot(span, span, color="#9aa5af", linestyle=":", linewidth=1, label="equal errors")
        names = [f"{100 * rate:g}" for rate in RATES]
        axes.set_xticks(marks, names)
        axes.set_yticks(marks, names)
        axes.set(xlabel="% of strangers accepted", ylabel="% of known clips missed", xlim=span, ylim=span)
        axes.tick_params(axis="x", labelsize=7.5)
        axes.legend(loc="upper right")

    alt = "DET plot: known clips missed against strangers accepted, on normal-deviate axes"
    return picture(drawn(paint), alt, "DET: the two errors against each other; nearer the lower left is better.")


def probit(rates: Array) -> Array:
    """The standard normal deviate below which each rate (n,) lies, (n,)."""
    inverse: Callable[[float], float] = NormalDist().inv_cdf
    return np.array([inverse(rate) for rate in rates])


def tippett(same: Curve, different: Curve) -> Html:
    """The share of known clips and of strangers whose log10 LR is at least x; each as (x, share)."""

    def paint(axes: "Axes") -> None:
        axes.step(*_percent(same), where="pre", color=KNOWN, label="known")
        axes.step(*_percent(different), where="pre", color=UNKNOWN, linestyle="--", label="unknown")
        axes.axvline(0, color="#9aa5af", linestyle=":", linewidth=1)
        axes.set(xlabel="log10 of the likelihood ratio", ylabel="% of clips with at least that", ylim=(-1, 101))
        axes.legend()

    alt = "Tippett plot: share of known and of unknown clips by the likelihood ratio they reach"
    caption = "Tippett plot. Misleading are known clips left of 0 and strangers right of it."
    return picture(drawn(paint), alt, caption)


def _percent(curve: Curve) -> Curve:
    return curve[0], 100 * curve[1]


def reliability_diagram(stated: Array, right: Array, count: IntArray) -> Html:
    """How often answers are right by the probability they state, (b,) each; the area of a point is its clips."""

    def paint(axes: "Axes") -> None:
        axes.plot([0, 100], [0, 100], color="#9aa5af", linestyle=":", linewidth=1)
        axes.scatter(100 * stated, 100 * right, s=12 + 240 * count / count.sum(), color=KNOWN, alpha=0.75)
        axes.set(xlabel="% probability stated", ylabel="% of answers right", xlim=(-4, 104), ylim=(-4, 104))

    ece = np.abs(stated - right) @ count / count.sum()
    caption = f"Reliability: stated against true, a point a bin, large where many clips are. ECE {ece:.3f}."
    return picture(drawn(paint), "Reliability diagram: share of right answers by stated probability", caption)
