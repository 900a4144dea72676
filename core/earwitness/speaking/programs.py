"""Running other people's programs: without a shell, in a folder of their own, and not for ever."""

import os
import resource
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from earwitness.errors import SynthesisError

__all__ = ["run_program"]

KEPT = ("PATH", "LD_LIBRARY_PATH")
LARGEST = 256 * 1024 * 1024  # bytes that a program may write to one file


def run_program(
    command: Sequence[str | Path],
    text: bytes = b"",
    *,
    seconds: float = 60.0,
    variables: Mapping[str, str] = {},
    codes: Sequence[int] = (0,),
) -> str:
    """Run a program that gets `text` on standard input; its standard output.

    It starts in an empty folder that is also its home and is gone afterwards. Of the environment it sees PATH and
    LD_LIBRARY_PATH, and UTF-8 as the locale. This keeps mistakes in bounds; it is no jail for a program that means
    harm.

    Args:
        command: The program, by name or path, and its arguments.
        text: Where text from elsewhere belongs: here it can't be taken for an option.
        seconds: When they are over, the program and all that it started are killed.
        variables: What it sees of the environment besides.
        codes: The exit codes that mean success.

    Raises:
        SynthesisError: There is no such program, it takes too long, or it fails; the text gives its last line.
    """
    program = shutil.which(command[0])
    if program is None:
        raise SynthesisError(f"there is no program {str(command[0])!r}: install it, or put its folder on PATH")
    with TemporaryDirectory(prefix="earwitness-") as scratch:
        folder, name = Path(scratch), Path(program).name
        kept = {key: os.environ[key] for key in KEPT if key in os.environ}
        environment = {**kept, "HOME": scratch, "TMPDIR": scratch, "LC_ALL": "C.UTF-8", **variables}
        (folder / "stdin").write_bytes(text)
        code = _run([program, *map(str, command[1:])], folder, environment, seconds)
        if code is None:
            raise SynthesisError(f"{name} took longer than {seconds:g} s and was stopped: try it by hand")
        if code not in codes:
            last = (folder / "stderr").read_text("utf-8", "replace").strip().rpartition("\n")[2]
            raise SynthesisError(f"{name} failed with exit code {code}: {last or 'it said nothing'}")
        return (folder / "stdout").read_text("utf-8", "replace")


def _run(command: list[str], folder: Path, environment: Mapping[str, str], seconds: float) -> int | None:
    """The exit code, or None when time was up; files, not pipes, so that no heir of a pipe can hold us."""
    with (
        (folder / "stdin").open("rb") as given,
        (folder / "stdout").open("wb") as said,
        (folder / "stderr").open("wb") as complaint,
    ):
        process = subprocess.Popen(
            command, stdin=given, stdout=said, stderr=complaint, cwd=folder, env=environment, start_new_session=True
        )
        try:
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (LARGEST, LARGEST))
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
