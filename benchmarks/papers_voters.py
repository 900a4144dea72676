"""How many segments of noise should vote, as Qi, Huang, Li and Shi ask (Table V), for docs/papers.md.

    python benchmarks/papers_voters.py --phones MANIFEST --out DIR [--publish benchmarks/papers/measured.json]

`noise-mlp` learns single segments of 4096 samples at 16 kHz, one a window, so that all segments of a clip have a say in
its answer: each test clip is cut, in its middle, to as many as are to vote. The model is kept in DIR.
"""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import soundfile
import typer
from papers_publish import open_measured
from papers_trial import learned, tested

from earwitness.loading import load_pipeline
from earwitness.manifest import Manifest, Row, read_manifest
from earwitness.plugins import load_catalogue

SEGMENT = 4096 / 16000
"""Seconds."""
VOTERS = (1, 3, 4, 5)


def middle(row: Row, seconds: float) -> Row:
    """The middle of a clip; all of it where it is shorter."""
    start = row.start or 0.0
    end = row.end or soundfile.info(row.path).duration
    spare = max(0.0, end - start - seconds) / 2
    return replace(row, start=start + spare, end=end - spare)


def voting(manifest: Manifest, voters: int) -> Manifest:
    """A corpus with so many segments of each test clip."""
    rows = (middle(row, voters * SEGMENT) if row.split == "test" else row for row in manifest.rows)
    return replace(manifest, rows=tuple(rows))


def main(
    phones: Annotated[Path, typer.Option(help="The manifest of the corpus 'phones'.")],
    out: Annotated[Path, typer.Option(help="Folder for the model.")],
    publish: Annotated[Path | None, typer.Option(help="JSON to put figures into, else DIR/measured.json.")] = None,
) -> None:
    """Train, test, and put the figures where they are published."""
    clips, found = read_manifest(phones), {}
    pipeline = load_pipeline("noise-mlp", load_catalogue(), (f"window={SEGMENT}", f"hop={SEGMENT}"))
    model = learned(pipeline, clips, out / "model")
    for voters in VOTERS:
        found[str(voters)] = tested(model, voting(clips, voters), out / str(voters))
        typer.echo(f"{voters} voters: {found[str(voters)]['accuracy']}", err=True)
    with open_measured(publish or out / "measured.json", out / "lock") as data:
        data["special"]["voters"] = found


if __name__ == "__main__":
    typer.run(main)
