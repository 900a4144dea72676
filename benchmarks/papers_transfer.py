"""A network carried to devices that it hasn't heard, in the ways of Zeng, Zhao and Wang (Table IX), for docs/papers.md.

    python benchmarks/papers_transfer.py --source MANIFEST --target MANIFEST --out DIR \
        [--publish benchmarks/papers/measured.json]

`crossscale-quick` learns the sources of the first manifest. On the second it is taken as it is and enrolled; its
softmax, or its last full layer too, learns anew while all else stays; and, to compare, everything learns from scratch.
Each is enrolled with the target's split `train` and tested on its split `test`. Models are kept in DIR.
"""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from papers_publish import basis, open_measured
from papers_trial import enrolled, learned, tested

from earwitness.loading import load_pipeline
from earwitness.manifest import Manifest, read_manifest
from earwitness.plugins import load_catalogue

PIPELINE, TUNED = "crossscale-quick", "crossscale-finetune-quick"
PARTS = {"full": ("project", "head"), "softmax": ("head",)}
"""What learns anew of a network that is carried over, by the name of the way."""


def ways(source: Manifest, target: Manifest, out: Path) -> dict[str, Path]:
    """A model for each way to the target."""
    pipeline, tuned = (load_pipeline(name, load_catalogue()) for name in (PIPELINE, TUNED))
    begun = learned(pipeline, source, out / "source")
    found = {"enrolled": begun, "scratch": learned(pipeline, target, out / "scratch")}
    for name, parts in PARTS.items():
        recipe = replace(tuned, training=replace(tuned.training, trained=parts))
        found[name] = learned(recipe, target, out / name, begun)
    return found


def main(
    source: Annotated[Path, typer.Option(help="Manifest of the devices that are learned first.")],
    target: Annotated[Path, typer.Option(help="Manifest of those that the network is carried to.")],
    out: Annotated[Path, typer.Option(help="Folder for models.")],
    publish: Annotated[Path | None, typer.Option(help="JSON to put figures into, else DIR/measured.json.")] = None,
) -> None:
    """Train, carry over, test, and put the figures where they are published."""
    clips, found = read_manifest(target), {}
    for name, model in ways(read_manifest(source), clips, out).items():
        with TemporaryDirectory() as folder:
            found[name] = tested(enrolled(model, clips, Path(folder) / "registry"), clips)
        typer.echo(f"{name}: {found[name]['accuracy']}", err=True)
    with open_measured(publish or out / "measured.json", out / "lock") as data:
        data["corpora"]["second phones"] = basis(clips)
        data["special"]["transfer"] = found


if __name__ == "__main__":
    typer.run(main)
