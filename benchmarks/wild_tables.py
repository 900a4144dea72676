"""The tables of docs/results.md from what benchmarks/wild.py and benchmarks/pages.py wrote.

python benchmarks/wild_tables.py --wild F.json --pages G.json
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from tables import table

Figures = Mapping[str, Any]


def ranged(values: Sequence[float]) -> str:
    """A figure with its interval."""
    mean, low, high = values
    return f"{mean:.2f} [{low:.2f} {high:.2f}]"


def row(name: str, found: Figures) -> list[str]:
    """One condition, or one panel of experts."""
    strangers = found["strangers"]
    return [
        name,
        *(f"{found[s]['first rank'][0]:.2f} / {ranged(found[s]['recall'])}" for s in ("kokoro", "piper", "genuine")),
        ranged(found["genuine called a machine"]),
        ranged(strangers["auroc"]),
        f"{found['near kin']['auroc'][0]:.2f}",
        ranged(strangers["accepted"]),
    ]


def wild(results: Mapping[str, Mapping[str, Figures]]) -> None:
    """All experts by condition, then each taken away, on the clips as they were published."""
    columns = ["", "Kokoro", "Piper", "genuine", "genuine called a machine", "AUROC", "near kin", "strangers accepted"]
    names = list(next(iter(results.values())))
    whole = max(names, key=len)
    table(columns, [row(condition, panels[whole]) for condition, panels in results.items()])
    experts = whole.split("+")
    rows = [row("all experts", results["raw"][whole])]
    for name in names:
        kept = name.split("+")
        if len(kept) == len(experts) - 1:
            rows.append(row(f"without {(set(experts) - set(kept)).pop()}", results["raw"][name]))
        elif len(kept) == 1:
            rows.append(row(f"{name} alone", results["raw"][name]))
    table(columns, rows)
    for source, count in results["raw"][whole]["strangers"]["taken for"].items():
        print(f"strangers taken for {source}: {count}")
    print()


def pages(results: Mapping[str, Mapping[str, Figures]]) -> None:
    """Every panel, by what is named."""
    rows = [
        [
            name.replace("+", " + "),
            *(
                f"{found[name]['macro_f1']:.3f} [{found[name]['interval'][0]:.2f} {found[name]['interval'][1]:.2f}], "
                f"{found[name]['top3']:.2f}"
                for found in results.values()
            ),
        ]
        for name in next(iter(results.values()))
    ]
    table(["experts", *(f"macro-F1 over {column}s, top-3" for column in results)], rows)


def main(
    wild_file: Annotated[Path | None, typer.Option("--wild", help="What wild.py wrote.")] = None,
    pages_file: Annotated[Path | None, typer.Option("--pages", help="What pages.py wrote.")] = None,
) -> None:
    """Print Markdown."""
    if wild_file:
        wild(json.loads(wild_file.read_text(encoding="utf-8")))
    if pages_file:
        pages(json.loads(pages_file.read_text(encoding="utf-8")))


if __name__ == "__main__":
    typer.run(main)
