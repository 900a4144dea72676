"""A pipeline whose training lacks one degradation, or all, as YAML, to show what it is worth.

    python benchmarks/without.py wild codec > without-codec.yaml
    earwitness train without-codec.yaml ...

`any` leaves none.
"""

import sys
from typing import Annotated, Any

import typer
import yaml

from earwitness.loading import load_experts
from earwitness.pipeline import Pipeline
from earwitness.plugins import load_catalogue


def thinned(expert: Pipeline, gone: str) -> dict[str, Any]:
    """The expert's versions of a training clip without a degradation; what becomes equal stands once."""
    versions: list[Any] = []
    for chain in expert.to_dict()["training"]["versions"]:
        kept = [each for each in chain if gone not in ("any", *each)]
        if kept not in versions:
            versions.append(kept)
    return {"training": {"versions": versions}}


def main(
    pipeline: Annotated[str, typer.Argument(help="A pipeline's name or YAML file.")],
    gone: Annotated[str, typer.Argument(help="A degradation's name, or any.")],
) -> None:
    """Print the changed pipeline."""
    experts = {each.name: thinned(each, gone) for each in load_experts(pipeline, load_catalogue())}
    yaml.safe_dump({"name": f"{pipeline}-without-{gone}", "experts": experts}, sys.stdout, sort_keys=False)


if __name__ == "__main__":
    typer.run(main)
