"""The version that a program states of itself."""

import re
import shutil
from collections.abc import Sequence

from earwitness.speaking.programs import run_program

__all__ = ["stated_version"]


def stated_version(command: Sequence[str], pattern: str, codes: Sequence[int] = (0,)) -> str | None:
    """What the first group of `pattern` finds in a program's output; None without the program, or where it is another.

    Raises:
        SynthesisError: the program is there but doesn't run.
    """
    if shutil.which(command[0]) is None:
        return None
    found = re.search(pattern, run_program(command, seconds=10.0, codes=codes))
    return found[1] if found else None
