"""The tables of docs/results.md from what benchmarks/wild.py and benchmarks/pages.py wrote.

python benchmarks/wild_tables.py --wild F.json [--seed F1.json ...] [--changed NAME=H.json ...] --pages G.json
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from tables import mean, ranged, table

Figures = Mapping[str, Any]


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


def whole(panels: Mapping[str, Figures]) -> Figures:
    """What all experts together reach."""
    return panels[max(panels, key=len)]


def seeds(runs: Sequence[Mapping[str, Mapping[str, Figures]]]) -> None:
    """The same by condition, where all were measured, as mean and deviation over runs of other seeds."""
    columns = ["", "Kokoro named", "Piper named", "genuine first", "AUROC", "strangers accepted"]
    rows = []
    for condition in (each for each in runs[0] if all(each in run for run in runs)):
        found = [whole(run[condition]) for run in runs]
        figures = (
            [each["kokoro"]["recall"][0] for each in found],
            [each["piper"]["recall"][0] for each in found],
            [each["genuine"]["first rank"][0] for each in found],
            [each["strangers"]["auroc"][0] for each in found],
            [each["strangers"]["accepted"][0] for each in found],
        )
        rows.append([condition, *map(mean, figures)])
    table(columns, rows)


def changed(runs: Mapping[str, Mapping[str, Mapping[str, Figures]]]) -> None:
    """What the whole reaches on clips as published when something about its training is changed."""
    columns = ["", "Kokoro", "Piper", "genuine", "genuine called a machine", "AUROC", "near kin", "strangers accepted"]
    table(columns, [row(name, whole(run["raw"])) for name, run in runs.items()])


def read(file: str | Path) -> Any:
    """The figures in a file."""
    return json.loads(Path(file).read_text(encoding="utf-8"))


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
    seed: Annotated[list[Path] | None, typer.Option(help="What it wrote for another seed; may be repeated.")] = None,
    change: Annotated[
        list[str] | None, typer.Option("--changed", help="NAME=FILE, for another training; may be repeated.")
    ] = None,
    pages_file: Annotated[Path | None, typer.Option("--pages", help="What pages.py wrote.")] = None,
) -> None:
    """Print Markdown."""
    if wild_file:
        wild(read(wild_file))
        seeds([read(wild_file), *map(read, seed or ())])
    if change:
        changed({name: read(file) for name, _, file in (each.partition("=") for each in change)})
    if pages_file:
        pages(read(pages_file))


if __name__ == "__main__":
    typer.run(main)
