"""The tables of docs/results.md from what benchmarks/hierarchy.py wrote.

python benchmarks/hierarchy_tables.py F.json
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from tables import ranged, table

STRANGE = {
    "family ranked first": "family ranked first",
    "the same by chance": "by chance",
    "without: named as kin": "kin's name, without",
    "with: named as kin": "kin's name, with",
    "with: named as another": "another's name",
    "with: unknown of its family": "'unknown' of its family, with",
}
ENROLLED = {
    "without: named rightly": "named rightly, without",
    "with: named rightly": "named rightly, with",
    "without: named as kin": "kin's name, without",
    "with: named as kin": "kin's name, with",
    "with: named as another": "another's name",
}
VERSIONS = {name: title for name, title in STRANGE.items() if name != "the same by chance"}


def pool(title: str, results: Mapping[str, Any], name: str, columns: Mapping[str, str]) -> None:
    """A row an arm and scorer that has such clips."""
    print(f"### {title}\n")
    found = [(arm, scorer, f["pools"].get(name)) for arm, each in results.items() for scorer, f in each.items()]
    rows = [[arm, scorer, str(p["clips"]), *(ranged(p[c]) for c in columns)] for arm, scorer, p in found if p]
    table(["", "scorer", "clips", *columns.values()], rows)


def main(file: Annotated[Path, typer.Argument(help="JSON of benchmarks/hierarchy.py.")]) -> None:
    """Print every table."""
    results = json.loads(file.read_text(encoding="utf-8"))
    pool("Clips of the version left out", results, "left out", STRANGE)
    pool("The same, where the family bears a naming threshold", results, "left out, threshold borne", STRANGE)
    pool("Clips of enrolled sources", results, "enrolled", ENROLLED)
    for arm, scorers in results.items():
        for scorer, found in scorers.items():
            print(f"### {arm}, {scorer}, by version left out\n")
            rows = [[left, *(f"{f[c]:.2f}" for c in VERSIONS)] for left, f in found["by version"].items()]
            table(["left out", *VERSIONS.values()], rows)


if __name__ == "__main__":
    typer.run(main)
