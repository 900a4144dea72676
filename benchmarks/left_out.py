"""Recipes side by side, each source in turn left out of training and enrolment, and asked about as a stranger.

    python benchmarks/left_out.py MANIFEST OUT RECIPE... [--against dynamics]

One comparison by `earwitness bench` a source, kept in a folder of OUT: killed, it goes on where it stood. Prints means
over the sources left out, and the difference to the recipe `--against`; intervals draw the sources anew.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from tables import table

from earwitness.bench import bench
from earwitness.corpora import write_manifest
from earwitness.evaluation.intervals import bootstrap
from earwitness.manifest import Manifest, read_manifest

METRICS = ("auroc", "oscr", "macro_f1_open", "far_realised")

Figures = Mapping[str, Mapping[str, Sequence[float]]]
"""By recipe and metric, a value for each source left out."""


def without(manifest: Manifest, source: str, file: Path) -> Manifest:
    """The clips of all sources but for one, of which only test clips stay."""
    rows = [row for row in manifest.rows if row.split == "test" or row.source != source]
    write_manifest(file, [{**row.columns, "path": str(row.path)} for row in rows])
    return read_manifest(file)


def measured(manifest: Manifest, out: Path, recipes: Sequence[str]) -> Figures:
    """What each recipe reaches, source after source."""
    found: dict[str, dict[str, list[float]]] = {recipe: {name: [] for name in METRICS} for recipe in recipes}
    for source in sorted({row.source for row in manifest.rows if row.source}):
        part = without(manifest, source, out / source / "manifest.csv")
        for row in bench(recipes, part, out / source, allow_leak=True)["rows"]:
            for name in METRICS:
                found[row["recipe"]][name].append(row["figures"][name])
    return found


def mean(values: Sequence[float]) -> str:
    """With its interval."""
    sample = np.asarray(values)
    low, high = bootstrap(lambda rows: float(sample[rows].mean()), [np.arange(len(sample))])
    return f"{sample.mean():.3f} [{low:.3f} {high:.3f}]"


def lines(found: Figures, against: str) -> Iterator[list[str]]:
    """A recipe's means, and by how much its AUROC and OSCR are above the other's."""
    for recipe, figures in found.items():
        better = [mean(np.subtract(figures[name], found[against][name]).tolist()) for name in ("auroc", "oscr")]
        yield [f"`{recipe}`", *(mean(figures[name]) for name in METRICS), *better]


def main(
    manifest: Annotated[Path, typer.Argument(help="All splits.")],
    out: Annotated[Path, typer.Argument(help="Folder for the comparisons and left_out.json.")],
    recipes: Annotated[list[str], typer.Argument(help="Names of pipelines.")],
    against: Annotated[str, typer.Option(help="The recipe that others are compared with.")] = "dynamics",
) -> None:
    """Leave each source out, measure, print."""
    found = measured(read_manifest(manifest), out, recipes)
    (out / "left_out.json").write_text(json.dumps(found, indent=1))
    heads = ["AUROC", "OSCR", "macro-F1, K + 1", "strangers accepted", "AUROC: difference", "OSCR: difference"]
    table(["recipe", *heads], list(lines(found, against)))


if __name__ == "__main__":
    typer.run(main)
