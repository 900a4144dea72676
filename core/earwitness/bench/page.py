"""The comparison as a page that people read: tables, and error against cost."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Any

from earwitness.bench.tables import Row, failures, heads, lines, merit, of_condition, origin
from earwitness.evaluation.words import MEANING
from earwitness.plotting import KNOWN
from earwitness.reporting.drawing import drawn, shortened
from earwitness.reporting.html import Html, facts, folded, page, picture, section, table, tag
from earwitness.reporting.provenance import code
from earwitness_registry.files import write_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.transforms import Bbox

__all__ = ["name_points", "pareto", "write_page"]

Point = tuple[float, float]
SIZE = (7.0, 4.8)
LEAD = (
    "Each recipe was trained, enrolled and calibrated on the same clips and asked about the same others. Intervals are "
    "95 % bootstrap intervals over sources and voices."
)


def write_page(file: Path, found: Mapping[str, Any]) -> None:
    """Write the page.

    Raises:
        MissingExtraError: matplotlib isn't there.
    """
    rows = found["rows"]
    stamp = [tag("p", "LEAKY SPLIT: groups span splits.", class_="stamp")] if found["leaks"] else []
    parts = [_condition(name, of_condition(rows, name)) for name in found["conditions"]]
    failed = section("Failed", table(("recipe", "seed", "why"), failures(rows)))
    commands = dict.fromkeys(row["command"] for row in rows)
    again = folded("The command of each row", *(tag("pre", command) for command in commands))
    where = section("Where this comes from", facts((name, code(text)) for name, text in origin(found).items()), again)
    body = (tag("h1", "Recipes side by side"), *stamp, tag("p", LEAD, class_="lead"), *parts, failed, where)
    write_whole(file, page("Earwitness bench", *body).encode())


def _condition(name: str, rows: Sequence[Row]) -> Html:
    """The table of a condition, and its recipes by error and cost."""
    return section(name, _tradeoff(name, rows), table(heads(rows), lines(rows))) if rows else Html()


def _tradeoff(condition: str, rows: Sequence[Row]) -> Html:
    """Error against time for an answer, means over seeds, with the recipes that none beats in both."""
    metric = merit(rows)
    points = _points(rows, metric)
    if not points:
        return Html()
    best = pareto(points)

    def paint(axes: "Axes") -> None:
        axes.step(*zip(*(points[name] for name in best), strict=True), where="post", color=KNOWN, linewidth=1)
        for name, point in points.items():
            axes.plot(*point, "o", color=KNOWN if name in best else "#9aa5af", markersize=4)
        axes.set(xlabel="ms a clip", ylabel=f"% error (1 - {MEANING[metric][0]})", xscale="log")
        axes.set_ylim(bottom=0)
        axes.margins(x=0.2)
        axes.minorticks_off()
        axes.set_xticks(*_marks([cost for cost, _ in points.values()]))
        name_points(axes, points, best)

    caption = (
        f"Error against cost, {condition}. Blue: no other recipe is both faster and better. The table has all names."
    )
    return picture(
        drawn(paint, SIZE), f"Error of each recipe against its milliseconds a clip, {condition}", caption, "wide"
    )


def name_points(axes: "Axes", points: Mapping[str, Point], best: Sequence[str]) -> None:
    """Names beside points, those of `best` first; one that would cover another is left out."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()  # before, nobody knows where things will be
    taken: list[Bbox] = []
    for name in sorted(points, key=lambda each: (each not in best, points[each][1])):
        ink = "#1d2329" if name in best else "#5b6670"
        text = axes.annotate(shortened(name), points[name], (4, 3), textcoords="offset points", fontsize=7, color=ink)
        box = text.get_window_extent()
        if any(box.overlaps(other) for other in taken):
            text.remove()
        else:
            taken.append(box)


def _marks(costs: Sequence[float]) -> tuple[list[float], list[str]]:
    """Round milliseconds about these, and their names."""
    powers = range(math.floor(math.log10(min(costs))), math.ceil(math.log10(max(costs))) + 1)
    marks = [digit * 10.0**power for power in powers for digit in (1, 2, 5)]
    shown = [mark for mark in marks if min(costs) / 2 <= mark <= 2 * max(costs)]
    return shown, [f"{mark:g}" for mark in shown]


def _points(rows: Sequence[Row], metric: str) -> dict[str, Point]:
    """Milliseconds a clip and error in per cent of each recipe, means over seeds."""
    borne = [row for row in rows if row["figures"].get(metric) is not None]
    names = dict.fromkeys(row["recipe"] for row in borne)
    own = {name: [row for row in borne if row["recipe"] == name] for name in names}
    return {
        name: (
            mean(row["cost"]["ms_per_clip"] for row in each),
            mean(100 * (1 - row["figures"][metric]) for row in each),
        )
        for name, each in own.items()
    }


def pareto(points: Mapping[str, Point]) -> list[str]:
    """The names of the points that no other undercuts, the cheapest first."""
    front: list[str] = []
    for name in sorted(points, key=lambda each: points[each]):
        if not front or points[name][1] < points[front[-1]][1]:
            front.append(name)
    return front
