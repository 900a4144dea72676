"""The tables of docs/results.md from what benchmarks/engines.py wrote.

python benchmarks/tables.py F.json [G.json ...]
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

NO_KIN = ("sam",)
"""Engines without a deliberate sibling among the others: far even when left out."""
CLOSED = (
    "macro_f1",
    "macro_f1_sets",
    "macro_f1_merged",
    "macro_f1_one_espeak",
    "accuracy_known_voices",
    "accuracy_new_voices",
)
OPEN = ("auroc", "fpr95", "oscr", "macro_f1_open")


def markdown(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Rows as Markdown has them."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (columns, ("---",) * len(columns), *rows))


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print Markdown."""
    print(f"{markdown(columns, rows)}\n")


def ranged(values: Sequence[float]) -> str:
    """A figure with its interval."""
    return "{:.2f} [{:.2f} {:.2f}]".format(*values)


def mean(values: Sequence[float]) -> str:
    """The mean over seeds, with their standard deviation where there are several."""
    spread = f" ± {np.std(values):.3f}" if len(values) > 1 else ""
    return f"{np.mean(values):.3f}{spread}"


def closed(name: str, runs: Sequence[Mapping[str, Any]]) -> None:
    """Closed set, a row a scorer and condition."""
    print(f"### {name}, closed set, seeds {', '.join(str(run['seed']) for run in runs)}\n")
    rows = [
        [scorer, condition, *(mean([run["closed"][scorer][condition].get(f, np.nan) for run in runs]) for f in CLOSED)]
        for scorer, conditions in runs[0]["closed"].items()
        for condition in conditions
    ]
    table(["scorer", "condition", *CLOSED], rows)


def opened(name: str, runs: Sequence[Mapping[str, Any]]) -> None:
    """Each engine left out in turn, averaged over engines: near kin, and far strangers."""
    print(f"### {name}, open set, seeds {', '.join(str(run['seed']) for run in runs)}\n")
    sources = list(runs[0]["open"])
    pools = {
        "near kin (8 engines left out in turn)": ([s for s in sources if s not in NO_KIN], "left out"),
        "far (sam left out)": ([s for s in sources if s in NO_KIN], "left out"),
        "far (Piper and Kokoro)": (sources, "far"),
    }
    rows = [
        [
            pool,
            scorer,
            condition,
            *(mean([average(run, chosen, (condition, scorer, key), f) for run in runs]) for f in OPEN),
        ]
        for pool, (chosen, key) in pools.items()
        for scorer, conditions in runs[0]["closed"].items()
        for condition in conditions
    ]
    table(["unknown", "scorer", "condition", *OPEN], rows)


def average(run: Mapping[str, Any], sources: Sequence[str], cell: tuple[str, str, str], figure: str) -> float:
    """One figure's mean over the engines left out, under a condition, by a scorer, against a pool."""
    condition, scorer, pool = cell
    return float(np.mean([run["open"][source][condition][scorer][pool][figure] for source in sources]))


def main(files: Annotated[list[Path], typer.Argument(help="JSON of benchmarks/engines.py.")]) -> None:
    """Print every table the files bear."""
    results = [run for file in files for run in json.loads(file.read_text(encoding="utf-8"))]
    for name in dict.fromkeys(run["pipeline"] for run in results):
        runs = [run for run in results if run["pipeline"] == name]
        closed(name, runs)
        if all("open" in run for run in runs):
            opened(name, runs)


if __name__ == "__main__":
    typer.run(main)
