"""The recipes that stand in for the methods of papers, measured on corpora of our own, for docs/papers.md.

    python benchmarks/papers.py --corpus phones=MANIFEST --corpus systems=MANIFEST --out DIR [--paper pstnn] \
        [--allow-leak systems] [--publish benchmarks/papers/measured.json]
    python docs/generate.py

Each is trained and tested as `earwitness bench` does it, under the conditions that the tables ask for; its cells are
kept in DIR/CORPUS, so that the same call again measures what is missing. After each recipe the figures are put into
DIR/measured.json, or where `--publish` says; those of other corpora and recipes stay there, so corpora may be measured
at the same time. Of a corpus, only figures of one manifest on one machine stand together: others make room.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from papers_answers import answers
from papers_publish import basis, open_measured, quality
from papers_read import FOLDER, Line, Recipe, key_of, read_papers
from rich.console import Console
from rich.progress import track

from earwitness.bench import bench
from earwitness.manifest import Manifest, read_manifest
from earwitness_registry.files import sha256, write_whole

COSTS = ("parameters", "ms_per_clip", "training_seconds")
HOME = re.compile(r"(?<![\w.])/(?:[^\s/'\":]+/)+")
"""The folders of an absolute path, which are nobody's business."""

Grid = dict[str, Any]


def asked(lines: Sequence[Line]) -> Iterator[tuple[Recipe, tuple[str, ...]]]:
    """Each recipe once, with all conditions that some row wants it under."""
    recipes = {key_of(line.recipe): line.recipe for line in lines if line.recipe}
    for key, recipe in recipes.items():
        wanted = [line.condition for line in lines if line.recipe and key_of(line.recipe) == key]
        yield recipe, tuple(dict.fromkeys(wanted))


def named(recipe: Recipe, folder: Path) -> str:
    """What `bench` takes for a recipe: its name, or the file in `folder` that its changed lines are written to."""
    if isinstance(recipe, str):
        return recipe
    name = f"{'-'.join(recipe)}-{sha256(key_of(recipe).encode())[:6]}"
    file = folder / f"{name}.yaml"
    write_whole(file, yaml.safe_dump({"name": name, "experts": recipe}, sort_keys=False).encode())
    return str(file)


def figures(rows: Sequence[Mapping[str, Any]], conditions: Sequence[str]) -> Grid:
    """By condition what `bench` found, or the error."""
    fault = next(({"error": HOME.sub("", row["error"])} for row in rows if "error" in row), None)
    found = {row["condition"]: cell(row) for row in rows if "error" not in row}
    return {name: found.get(name, fault) for name in conditions}


def cell(row: Mapping[str, Any]) -> Grid:
    """What a row says of quality and of cost."""
    return {**quality(row["figures"]), **{name: round(row["cost"][name], 2) for name in COSTS}}


def put(data: Grid, corpus: str, own: Grid, key: str, found: Grid) -> None:
    """Add the figures of one recipe to all, and drop those of the corpus that rest on something else."""
    others = data["rows"].get(corpus, {}) if data["corpora"].get(corpus) == own else {}
    data["corpora"][corpus], data["rows"][corpus] = own, {**others, key: {**others.get(key, {}), **found}}


def measure(corpus: str, manifest: Manifest, lines: Sequence[Line], out: Path, file: Path, *, leak: bool) -> None:
    """Measure all recipes that the rows of tables want on a corpus."""
    todo = list(asked([line for line in lines if line.corpus == corpus]))
    for recipe, conditions in track(todo, corpus, console=Console(stderr=True)):
        found = bench(
            [named(recipe, out / "recipes")],
            manifest,
            out / corpus,
            conditions=conditions,
            allow_leak=leak,
            quiet=True,
        )
        grid = figures(found["rows"], conditions)
        for condition, each in grid.items():
            if "error" not in each:
                each["answers"] = answers(out / corpus, found["rows"][0]["recipe"], manifest, condition)
        with open_measured(file, out / "lock") as data:
            put(data, corpus, basis(manifest, leaky=bool(found["leaks"])), key_of(recipe), grid)
        for condition, each in grid.items():
            typer.echo(f"{corpus} {key_of(recipe)} {condition}: {each.get('error', each.get('accuracy'))}", err=True)


def main(
    corpus: Annotated[list[str], typer.Option(metavar="NAME=MANIFEST", help="A corpus; may be repeated.")],
    out: Annotated[Path, typer.Option(help="Folder for models, recipes and cells.")],
    paper: Annotated[list[str] | None, typer.Option(help="Only this paper's tables; may be repeated.")] = None,
    allow_leak: Annotated[
        list[str] | None, typer.Option(help="A corpus whose groups may span splits; may be repeated.")
    ] = None,
    publish: Annotated[Path | None, typer.Option(help="JSON to put figures into, else DIR/measured.json.")] = None,
) -> None:
    """Measure, and put the figures where they are published."""
    papers = {each.name: list(each.lines) for each in read_papers(FOLDER)}
    if strange := set(paper or ()) - papers.keys():
        raise typer.BadParameter(f"no paper {', '.join(sorted(strange))}; there are {', '.join(papers)}")
    lines = [line for name in paper or papers for line in papers[name]]
    for each in corpus:
        name, _, path = each.partition("=")
        if name not in {line.corpus for own in papers.values() for line in own}:
            raise typer.BadParameter(f"no table asks for {name!r} of --corpus {each}, which is NAME=MANIFEST")
        file, leak = publish or out / "measured.json", name in (allow_leak or ())
        measure(name, read_manifest(Path(path)), lines, out, file, leak=leak)


if __name__ == "__main__":
    typer.run(main)
