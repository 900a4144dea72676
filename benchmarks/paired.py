"""What `earwitness bench` left behind, compared clip by clip: does a recipe name more engines than another, or less?

    python benchmarks/paired.py MANIFEST OUT RECIPE... [--against dynamics] [--conditions clean,amr]

OUT is the folder of a comparison by `earwitness bench` of the same manifest, whose registries answer once more, seed 0.
Macro-F1 of the source ranked first over test clips; intervals draw sources and, within them,
voices, the same draws for both recipes, so that a difference is of the same clips.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from tables import table

from earwitness.bench.kept import keep_features
from earwitness.engine import open_engine
from earwitness.evaluation.conditions import conditioned
from earwitness.evaluation.intervals import draws, interval
from earwitness.evaluation.metrics import macro_f1
from earwitness.evaluation.scoring import score_rows
from earwitness.manifest import Manifest, Row, read_manifest
from earwitness.plugins import load_catalogue
from earwitness.types import FloatArray, IntArray

Drawn = Sequence[IntArray]


def answers(out: Path, recipe: str, manifest: Manifest) -> tuple[list[str], list[str]]:
    """The true source of each test clip, and the one that a recipe ranks first."""
    (registry,) = out.glob(f"work/{recipe}-0-*/registry")
    with open_engine(registry) as engine:
        keep_features(engine, out / "work" / "features")
        (task,) = engine.models
        scored = score_rows(engine, task, manifest)
    if scored.skipped or not scored.known.all():
        raise typer.BadParameter(f"{recipe} can't answer for every clip: {[*scored.skipped, 'a stranger'][0]}")
    names = np.array(scored.sources)
    return names[scored.labels].tolist(), names[scored.values.argmax(axis=1)].tolist()


def after(condition: str, out: Path, manifest: Manifest) -> Manifest:
    """The test clips, after a condition."""
    rows: tuple[Row, ...] = manifest.select(split="test").rows
    if condition != "clean":
        (folder,) = out.glob(f"work/clips-*/{condition}")
        rows = conditioned(rows, condition, folder, load_catalogue())
    return Manifest(manifest.path, rows)


def figures(truth: Sequence[str], found: Sequence[str], drawn: Drawn) -> FloatArray:
    """Macro-F1 of all clips, then of each draw, (1 + draws,)."""
    right, said = np.array(truth), np.array(found)
    return np.array([macro_f1(right[rows], said[rows]) for rows in (np.arange(len(right)), *drawn)])


def ranged(values: FloatArray) -> str:
    """The first with the interval of the others."""
    low, high = interval(values[1:].tolist())
    return f"{values[0]:.3f} [{low:.3f} {high:.3f}]"


def lines(manifest: Manifest, out: Path, recipes: Sequence[str], against: str, condition: str) -> Iterator[list[str]]:
    """A recipe's macro-F1 under a condition, and how far that is above the other's."""
    clips = after(condition, out, manifest)
    drawn = list(draws([[str(row.source) for row in clips.rows], [f"{row.source} {row.voice}" for row in clips.rows]]))
    base = figures(*answers(out, against, clips), drawn)
    for recipe in (against, *recipes):
        found = figures(*answers(out, recipe, clips), drawn)
        yield [condition, f"`{recipe}`", ranged(found), ranged(found - base)]


def main(
    manifest: Annotated[Path, typer.Argument(help="All splits, no stranger among the test clips.")],
    out: Annotated[Path, typer.Argument(help="Folder of a comparison by 'earwitness bench'.")],
    recipes: Annotated[list[str], typer.Argument(help="Names of recipes there.")],
    against: Annotated[str, typer.Option(help="The recipe that others are compared with.")] = "dynamics",
    conditions: Annotated[str, typer.Option(help="By commas.")] = "clean",
) -> None:
    """Compare, and print."""
    clips = read_manifest(manifest)
    rows = [line for name in conditions.split(",") for line in lines(clips, out, recipes, against, name)]
    table(["condition", "recipe", "macro-F1", f"above `{against}`"], rows)
    (out / "paired.json").write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    typer.run(main)
