"""The comparison as tables: a line a recipe and seed, best first, a table a condition."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from earwitness.evaluation.words import MEANING
from earwitness_registry.files import write_whole

__all__ = ["failures", "heads", "lines", "merit", "of_condition", "origin", "write_markdown"]

Row = Mapping[str, Any]

METRICS = ("accuracy", "macro_f1_known", "macro_f1_open", "auroc", "fpr95", "oscr", "eer", "far_realised", "cllr")
COSTS: Mapping[str, tuple[str, float, str]] = {
    "parameters": ("parameters", 1.0, ",.0f"),
    "bytes": ("MB on disk", 1e-6, ".2f"),
    "training_seconds": ("training, s", 1.0, ".1f"),
    "ms_per_clip": ("ms a clip", 1.0, ".1f"),
    "times_real_time": ("x real time", 1.0, ",.0f"),
}
"""What each cost is called, its factor and how it is printed."""


def of_condition(rows: Sequence[Row], condition: str) -> list[Row]:
    """The rows measured under a condition, the best macro-F1 first."""
    own = [row for row in rows if row.get("condition") == condition]
    best = merit(own)
    return sorted(own, key=lambda row: -(row["figures"].get(best) or 0.0))


def merit(rows: Sequence[Row]) -> str:
    """The metric that rows are ranked by: macro-F1 over K + 1, or over K where no stranger was tested."""
    strangers = any(row["figures"]["clips"]["unknown"] for row in rows)
    return "macro_f1_open" if strangers else "macro_f1_known"


def heads(rows: Sequence[Row]) -> tuple[str, ...]:
    """What the cells of rows are called."""
    return ("recipe", "seed", *(MEANING[name][0] for name in _borne(rows)), *(name for name, *_ in COSTS.values()))


def lines(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """The cells of each row, figures with their intervals."""
    borne = _borne(rows)
    return [(row["recipe"], str(row["seed"]), *_figures(row["figures"], borne), *_costs(row["cost"])) for row in rows]


def _borne(rows: Sequence[Row]) -> list[str]:
    """The metrics that some row has: without strangers several can't be had."""
    return [name for name in METRICS if any(row["figures"].get(name) is not None for row in rows)]


def _figures(figures: Mapping[str, Any], names: Sequence[str]) -> Iterator[str]:
    for name in names:
        value, (low, high) = figures.get(name), figures.get("intervals", {}).get(name, (None, None))
        span = "" if low is None or high is None else f" [{low:.3f}, {high:.3f}]"
        yield "–" if value is None else f"{value:.3f}{span}"


def _costs(cost: Mapping[str, float]) -> Iterator[str]:
    for name, (_, factor, form) in COSTS.items():
        yield f"{factor * cost[name]:{form}}"


def failures(rows: Sequence[Row]) -> list[tuple[str, str, str]]:
    """Recipe, seed and reason of what failed."""
    return [(row["recipe"], str(row["seed"]), row["error"]) for row in rows if "error" in row]


def origin(found: Mapping[str, Any]) -> dict[str, str]:
    """Clips, machine and versions, by name."""
    machine = found["machine"]
    return {
        "Manifest": f"{found['manifest']}, SHA-256 {found['manifest_sha256']}",
        "Clips": f"{found['clips']}, a share of {found['limit']:g} of each source",
        "Machine": f"{machine['processor']}, {machine['cores']} cores, {machine['system']}",
        "Versions": ", ".join(f"{name} {version}" for name, version in machine["versions"].items()),
        "Date": found["date"],
    }


def write_markdown(file: Path, found: Mapping[str, Any]) -> None:
    """Write the tables, how each row is got again, and where they come from."""
    rows, parts = found["rows"], ["# Recipes side by side"]
    if found["leaks"]:
        parts.append("**LEAKY SPLIT: groups span splits.**")
    for condition in found["conditions"]:
        if own := of_condition(rows, condition):
            parts += [f"## {condition}", _table(heads(own), lines(own))]
    if failed := failures(rows):
        parts += ["## Failed", _table(("recipe", "seed", "why"), failed)]
    commands = dict.fromkeys(row["command"] for row in rows)
    parts += ["## Each row again", "\n".join(["```", *commands, "```"])]
    parts += ["## Where this comes from", "\n".join(f"- {name}: {value}" for name, value in origin(found).items())]
    write_whole(file, ("\n\n".join(parts) + "\n").encode())


def _table(heads: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    rule = ["---"] * len(heads)
    return "\n".join(f"| {' | '.join(_bar_free(each) for each in line)} |" for line in (heads, rule, *cells))


def _bar_free(text: str) -> str:
    return text.replace("|", "\\|")
