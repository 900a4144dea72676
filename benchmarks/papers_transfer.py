"""A network carried to devices that it hasn't heard, in the ways of Zeng, Zhao and Wang (Table IX), for docs/papers.md.

    python benchmarks/papers_transfer.py --source MANIFEST --target MANIFEST --out DIR \
        [--publish benchmarks/papers/measured.json]

`crossscale-quick` learns the sources of the first manifest, and so does its transformer alone. On the second they are
taken as they are and enrolled; their softmax, or the last full layer too, learns anew while all else stays; and, to
compare, everything learns from scratch. Each is enrolled with the target's split `train` and tested on its split
`test`. Models are kept in DIR.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from papers_publish import basis, open_measured
from papers_trial import learned, tested

from earwitness.loading import load_pipeline
from earwitness.manifest import Manifest, read_manifest
from earwitness.pipeline import Pipeline
from earwitness.plugins import load_catalogue
from earwitness_embedders.crossscale import CrossScale

PIPELINE, TUNED = "crossscale-quick", "crossscale-finetune-quick"
BLOCKS: Mapping[str, Mapping[str, Any]] = {"all": {}, "transformer": {"kernels": (), "units": 0, "strides": ()}}
"""What the embedder of a network keeps of its blocks, by the name of the network."""
PARTS = {"full": ("project", "head"), "softmax": ("head",)}
"""What learns anew of a network that is carried over, by the name of the way."""


def ways(network: str, source: Manifest, target: Manifest, out: Path) -> Iterator[tuple[str, Path]]:
    """A model of a network for each way to the target."""
    pipeline, tuned = (cut(load_pipeline(name, load_catalogue()), network) for name in (PIPELINE, TUNED))
    begun = learned(pipeline, source, out / "source")
    yield "enrolled", begun
    yield "scratch", learned(pipeline, target, out / "scratch")
    for way, parts in PARTS.items():
        recipe = replace(tuned, training=replace(tuned.training, trained=parts))
        yield way, learned(recipe, target, out / way, begun)


def cut(pipeline: Pipeline, network: str) -> Pipeline:
    """A pipeline whose embedder has the blocks of a network."""
    return replace(pipeline, embedder=replace(cast("CrossScale", pipeline.embedder), **BLOCKS[network]))


def main(
    source: Annotated[Path, typer.Option(help="Manifest of the devices that are learned first.")],
    target: Annotated[Path, typer.Option(help="Manifest of those that the network is carried to.")],
    out: Annotated[Path, typer.Option(help="Folder for models.")],
    publish: Annotated[Path | None, typer.Option(help="JSON to put figures into, else DIR/measured.json.")] = None,
) -> None:
    """Train, carry over, test, and put the figures where they are published."""
    first, clips, found = read_manifest(source), read_manifest(target), {}
    for network in BLOCKS:
        for way, model in ways(network, first, clips, out / network):
            name = f"{network}-{way}"
            found[name] = tested(model, clips, out / f"{name}-tested")
            typer.echo(f"{name}: {found[name]['accuracy']}", err=True)
    with open_measured(publish or out / "measured.json", out / "lock") as data:
        data["corpora"]["second phones"] = basis(clips)
        data["special"]["transfer"] = found


if __name__ == "__main__":
    typer.run(main)
