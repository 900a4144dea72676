"""Running a Python with packages of its own, and what these brought, without importing any."""

import json
import site
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from earwitness.errors import SynthesisError
from earwitness.speaking.programs import run_program

__all__ = ["Packaged", "packaged", "run_python"]

PROBE = """
import json, sys
from importlib.metadata import distributions
package, word, ending = sys.argv[1:]
found = {d.metadata["Name"]: d for d in distributions() if word in d.metadata["Name"]}
files = [str(d.locate_file(f)) for d in found.values() for f in d.files or () if f.name.endswith(ending)]
print(json.dumps([found[package].version if package in found else None, files]))
"""


@dataclass(frozen=True, slots=True)
class Packaged:
    """The version of a package, None where it isn't installed, and files that packages brought."""

    version: str | None
    files: tuple[Path, ...]


@cache
def packaged(python: str, package: str, word: str, ending: str) -> Packaged:
    """What a Python has of a package, and the files with an ending that packages with a word in their name brought."""
    try:
        version, files = json.loads(run_python(python, ["-c", PROBE, package, word, ending], seconds=30.0))
    except SynthesisError:
        return Packaged(None, ())
    return Packaged(version, tuple(sorted(map(Path, files))))


def run_python(
    python: str,
    arguments: Sequence[str | Path],
    text: bytes = b"",
    *,
    seconds: float,
    variables: Mapping[str, str] = {},
) -> str:
    """`run_program` for a Python, which finds the packages of its user in spite of another home."""
    own = {"PYTHONUSERBASE": site.getuserbase(), **variables}
    return run_program([python, *arguments], text, seconds=seconds, variables=own)
