"""The tables of docs/results.md from what benchmarks/openset.py wrote.

python benchmarks/openset_tables.py F.json
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from tables import table

CHOSEN = "auto"
TOLD_APART = {"auroc": "AUROC", "fpr95": "FPR95", "oscr": "OSCR", "macro_f1": "macro-F1, K + 1"}
PROMISED = {
    "accepted": "false acceptance, asked 0.05",
    "known_accepted": "known accepted",
    "cllr": "Cllr",
    "cllr_min": "Cllr min",
    "cllr_cal": "Cllr - min",
    "ece": "ECE",
}
DIFFERENCES = ("auroc", "oscr")


def ranged(values: Sequence[float], signed: bool = False) -> str:
    """A figure with its interval."""
    sign = "+" if signed else ""
    return "{:{s}.3f} [{:{s}.2f} {:{s}.2f}]".format(*values, s=sign)


def best_first(rules: Mapping[str, Any]) -> list[str]:
    """The chosen rule, then the others by AUROC."""
    return sorted(rules, key=lambda name: (name != CHOSEN, -rules[name]["auroc"]["value"][0]))


def arm(title: str, pools: Mapping[str, Mapping[str, Any]]) -> None:
    """What tells strangers apart, what is promised, how far each rule lies under the chosen one, and kin apart."""
    rules = pools["all"]
    for columns in (TOLD_APART, PROMISED):
        print(f"### {title}\n")
        rows = [[name, *(ranged(rules[name][f]["value"]) for f in columns)] for name in best_first(rules)]
        table(["scorer", *columns.values()], rows)
    print(f"### {title}: the chosen scorer's figure less the other's, on the same draws; near and far strangers\n")
    apart = [pool for pool in ("near", "far") if pool in pools]
    rows = [
        [
            name,
            *(ranged(rules[name][f]["chosen_less_it"], signed=True) for f in DIFFERENCES),
            *(ranged(pools[pool][name][f]["value"]) for pool in apart for f in ("auroc", "accepted")),
        ]
        for name in best_first(rules)
    ]
    kin = [f"{pool}: {what}" for pool in apart for what in ("AUROC", "false acceptance")]
    table(["scorer", *(TOLD_APART[f] for f in DIFFERENCES), *kin], rows)


def pooling(title: str, ways: Mapping[str, Mapping[str, Mapping[str, float]]]) -> None:
    """A row a way of pooling, accuracy and AUROC by scorer."""
    print(f"### {title}\n")
    scorers = list(next(iter(ways.values())))
    rows = [[way, *(f"{f[s]['accuracy']:.3f} / {f[s]['auroc']:.3f}" for s in scorers)] for way, f in ways.items()]
    table(["accuracy / AUROC", *scorers], rows)


def sweeps(conditions: Mapping[str, Mapping[str, Mapping[str, Sequence[float]]]]) -> None:
    """The best macro-F1 over all thresholds, and where it lies."""
    print("### Threshold swept: the best macro-F1 over K + 1, and its threshold\n")
    rules = list(next(iter(conditions.values())))
    rows = [[condition, *(_peak(found[rule]) for rule in rules)] for condition, found in conditions.items()]
    table(["", *rules], rows)


def _peak(points: Mapping[str, Sequence[float]]) -> str:
    score, threshold = max(zip(points["macro_f1"], points["threshold"], strict=True))
    return f"{score:.3f} at {threshold:.2f}"


def main(file: Annotated[Path, typer.Argument(help="JSON of benchmarks/openset.py.")]) -> None:
    """Print every table the file bears."""
    results = json.loads(file.read_text(encoding="utf-8"))
    for name, found in results.items():
        if name.endswith("pooling"):
            pooling(name, found)
        elif name.endswith("taken"):
            print(f"{name} by {CHOSEN}: {', '.join(f'{rule} {count}' for rule, count in found.items())}\n")
        elif name == "sweep":
            sweeps(found)
        else:
            for condition, pools in found.items():
                arm(f"{name}, {condition}", pools)


if __name__ == "__main__":
    typer.run(main)
