"""A command: `earwitness tally FILE` counts the verdicts that `earwitness screen` wrote."""

import json
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from earwitness import hookimpl


@hookimpl
def register_commands(app: typer.Typer) -> None:
    """Add the command; the app is this plugin's own, and what is in it is taken up when all of it can be."""

    @app.command()
    def tally(file: Annotated[Path, typer.Argument(help="Verdicts, .jsonl.")]) -> None:
        """Count verdicts by source."""
        verdicts = map(json.loads, file.read_text("utf-8").splitlines())
        for source, count in Counter(v["source"] or v["verdict"] for v in verdicts).most_common():
            print(f"{count:6} {source}")
