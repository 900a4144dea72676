"""Write docs/hooks.md and docs/commands.md from the code; with --check, only say whether they are up to date."""

import inspect
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from typer.main import get_command
from typer.testing import CliRunner

from earwitness import hookspecs
from earwitness.cli import app

DOCS = Path(__file__).parent
PLAIN = {"TERMINAL_WIDTH": "100", "COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}
COLOURS = ("FORCE_COLOR", "PY_COLORS", "GITHUB_ACTIONS")
NOTE = "<!-- Written by docs/generate.py: change the code, then run it again. -->"


def hooks() -> str:
    """Every hook with its signature and what it asks."""
    parts = ["# Hooks", NOTE, inspect.getdoc(hookspecs) or ""]
    for name, hook in vars(hookspecs).items():
        if hasattr(hook, "earwitness_spec"):
            options = " (the first answer counts)" if hook.earwitness_spec["firstresult"] else ""
            signature = str(inspect.signature(hook)).replace("'", "")
            signature = signature.replace("collections.abc.", "").replace("pathlib.", "").replace("typing.", "")
            parts += [f"## `{name}`{options}", f"```python\ndef {name}{signature}\n```", inspect.getdoc(hook) or ""]
    return "\n\n".join(parts) + "\n"


def paths(command: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The commands below a command, itself first."""
    yield path
    for name, child in getattr(command, "commands", {}).items():
        yield from paths(child, (*path, name))


def commands() -> str:
    """The help of every command, a hundred columns wide and without colours wherever it is asked for."""
    os.environ |= PLAIN
    for variable in COLOURS:
        os.environ.pop(variable, None)
    parts = ["# Commands", NOTE]
    for path in paths(get_command(app)):
        answer = CliRunner().invoke(app, [*path, "--help"], prog_name="earwitness", catch_exceptions=False)
        text = "\n".join(line.rstrip() for line in answer.output.strip().splitlines())
        parts += [f"## `{' '.join(('earwitness', *path))}`", f"```text\n{text}\n```"]
    return "\n\n".join(parts) + "\n"


def main() -> int:
    """Write what is out of date, or with --check name it and return 1."""
    stale = {
        file: text
        for file, text in ((DOCS / "hooks.md", hooks()), (DOCS / "commands.md", commands()))
        if not file.is_file() or file.read_text("utf-8") != text
    }
    for file, text in stale.items():
        if "--check" in sys.argv[1:]:
            print(f"{file} is out of date: run python docs/generate.py")
        else:
            file.write_text(text, "utf-8")
    return 1 if stale and "--check" in sys.argv[1:] else 0


if __name__ == "__main__":
    sys.exit(main())
