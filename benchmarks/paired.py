"""What `earwitness bench` left behind, compared clip by clip: does a recipe name more sources than another, or less?

    python benchmarks/paired.py MANIFEST OUT RECIPE... [--against dynamics] [--conditions clean,amr]

OUT is the folder of a comparison by `earwitness bench` of the same manifest, whose registries answer once more, seed 0.
Macro-F1 of the source ranked first over test clips of enrolled sources; intervals draw sources and, within them,
voices, the same draws for both recipes, so that a difference is of the same clips.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from papers_answers import answers, clips_of, drawn_figures
from tables import table

from earwitness.evaluation.intervals import interval
from earwitness.evaluation.metrics import macro_f1
from earwitness.manifest import Manifest, read_manifest
from earwitness.types import FloatArray


def figures(out: Path, recipe: str, manifest: Manifest, condition: str) -> FloatArray:
    """Macro-F1 of all clips, then of each draw, (1 + draws,)."""
    clips, said = clips_of(manifest), answers(out, recipe, manifest, condition)
    whole = macro_f1(list(clips["truth"]), list(said))
    return np.array([whole, *drawn_figures("macro_f1_known", clips["truth"], clips["voices"], said)])


def ranged(values: FloatArray) -> str:
    """The first with the interval of the others."""
    low, high = interval(values[1:].tolist())
    return f"{values[0]:.3f} [{low:.3f} {high:.3f}]"


def lines(manifest: Manifest, out: Path, recipes: Sequence[str], against: str, condition: str) -> Iterator[list[str]]:
    """A recipe's macro-F1 under a condition, and how far that is above the other's."""
    base = figures(out, against, manifest, condition)
    for recipe in (against, *recipes):
        found = base if recipe == against else figures(out, recipe, manifest, condition)
        yield [condition, f"`{recipe}`", ranged(found), ranged(found - base)]


def main(
    manifest: Annotated[Path, typer.Argument(help="All splits.")],
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
