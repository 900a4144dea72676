"""The tables of docs/results.md from what benchmarks/devices.py, devices_simulated.py and devices_splices.py wrote.

python benchmarks/devices_tables.py F.json [G.json ...]
"""

import json
from collections.abc import Mapping
from math import isnan
from pathlib import Path
from typing import Annotated, Any

import typer
from openset_tables import ranged
from tables import table

REAL = {
    "accuracy": "accuracy",
    "auroc": "AUROC, each left out",
    "oscr": "OSCR, each left out",
    "auroc_far": "AUROC, far devices",
}
SIMULATED = {"rank1": "rank-1", "eer": "EER", "auroc": "AUROC, strangers"}
ERRORS = ("misses, shared", "misses, another", "false alarms, shared", "false alarms, another")
TOLD = ("told", "both named rightly", "median error", "within 0.5 s")


def cell(found: Mapping[str, Any], name: str) -> str:
    """A figure with its interval; a dash where there is none."""
    return ranged(found[name]) if name in found and not isnan(found[name][0]) else "-"


def real(results: Mapping[str, Any]) -> None:
    """A table an arm, protocol and unit, a row a method."""
    for arm, protocols in results.items():
        for protocol, units in protocols.items():
            for unit, methods in units.items():
                print(f"### {arm}: {protocol}, {unit}\n")
                table(["method", *REAL.values()], [[m, *(cell(f, n) for n in REAL)] for m, f in methods.items()])


def simulated(results: Mapping[str, Any]) -> None:
    """A table a figure, a row a condition and a column a method; then the errors, a row a cue and method."""
    conditions = results["conditions"]
    methods = list(next(iter(conditions.values())))
    for figure, title in SIMULATED.items():
        print(f"### Simulated devices: {title}\n")
        table(["", *methods], [[name, *(cell(by[m], figure) for m in methods)] for name, by in conditions.items()])
    if "cues" in results:
        print("### Simulated devices: pairs of clips that share a cue, and pairs that don't\n")
        rows = [[c, m, *(cell(f, e) for e in ERRORS)] for c, by in results["cues"].items() for m, f in by.items()]
        table(["cue", "method", *ERRORS], rows)


def splices(results: Mapping[str, Any]) -> None:
    """A table a kind of devices, a row a way of joining."""
    for kind, ways in results.items():
        print(f"### Splices of {kind} devices\n")
        table(["", *TOLD], [[way, *(cell(found, name) for name in TOLD)] for way, found in ways.items()])


def main(files: Annotated[list[Path], typer.Argument(help="JSON of the benchmarks of devices.")]) -> None:
    """Print every table the files bear."""
    for file in files:
        results = json.loads(file.read_text(encoding="utf-8"))
        kind = simulated if "conditions" in results else real if "raw" in results else splices
        kind(results)


if __name__ == "__main__":
    typer.run(main)
