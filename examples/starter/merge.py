"""Join the starter's manifests into one, and refuse a text that stands on two sides of a split."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from make_genuine import read_rows, write_rows

from earwitness.manifest import check_leaks, read_manifest


def main(
    manifests: Annotated[list[Path], typer.Argument(help="Manifests, in the order that the rows shall have.")],
    out: Annotated[Path, typer.Option(help="The manifest to write.")],
) -> None:
    """Join manifests: every row and column is kept, paths become absolute."""
    rows = [row for manifest in manifests for row in read_rows(manifest)]
    columns = list(dict.fromkeys(column for row in rows for column in row))
    write_rows(out, columns, rows)
    if leaks := check_leaks(read_manifest(out), ["text_id", "text", "path"]):
        raise SystemExit("\n".join(leaks))
    for (source, split), count in sorted(Counter((row["source"], row["split"]) for row in rows).items()):
        print(f"{source:<20}{split:<6}{count:>5}")


if __name__ == "__main__":
    typer.run(main)
