"""Finding audio files, opening them, and writing their names."""

import os
import sys
from collections.abc import Iterable, Iterator
from io import BufferedReader
from os import PathLike
from pathlib import Path

from earwitness.audio.decoders import open_decoder
from earwitness.errors import AudioError, InputError

__all__ = ["find_clips", "is_audio", "open_file", "printable"]

_CONTROL = {code: repr(chr(code))[1:-1] for code in (*range(32), 127)}


def printable(path: str | PathLike[str]) -> str:
    r"""A path as one line of valid UTF-8: control characters and stray bytes become `\n`, `\xff` and so on."""
    return os.fsencode(path).decode("utf-8", "backslashreplace").translate(_CONTROL)


def open_file(path: str | PathLike[str]) -> BufferedReader:
    """Open a regular file that holds at least one byte.

    Raises:
        AudioError: There is no such file, or it can't be read; the text says which and what to do.
    """
    path, name = Path(path), printable(path)
    try:
        if path.is_dir():
            raise AudioError(f"{name} is a folder: give a file in it, or a command that searches folders")
        if path.exists() and not path.is_file():
            raise AudioError(f"{name} is not a regular file: save the sound to one first")
        file = path.open("rb")
    except FileNotFoundError as error:
        raise AudioError(f"{name} does not exist: check the path") from error
    except PermissionError as error:
        raise AudioError(f"{name} may not be read: ask for permission, or copy it") from error
    except (OSError, ValueError) as error:
        raise AudioError(f"{name} can't be opened ({error.__class__.__name__}): check path and disk") from error
    if not os.fstat(file.fileno()).st_size:
        file.close()
        raise AudioError(f"{name} is empty (0 bytes): fetch or record it again")
    return file


def is_audio(path: str | PathLike[str]) -> bool:
    """Whether the content, not the name, is something core can decode; opens the file, decodes nothing.

    A file that can't be opened counts, so that a search reports it rather than losing it.
    """
    path = Path(path)
    try:
        if path.exists() and (not path.is_file() or not path.stat().st_size):
            return False
        file = open_file(path)
    except (AudioError, OSError):
        return True
    with file:
        try:
            open_decoder(file, printable(path)).close()
        except AudioError:
            return False
    return True


def find_clips(paths: Iterable[str | PathLike[str]]) -> list[Path]:
    """The files meant by `paths`, in order and each once.

    A path is a file; a folder, searched through with its subfolders by content and in sorted order; a glob;
    `@list.txt`, a file of such paths, one a line and relative to that file; or `-` for a list on standard input.
    An entry of a list that matches nothing is passed on, so that it becomes one bad clip among the others.

    Raises:
        InputError: A path matches nothing, or a list names nothing.
    """
    found = (clip for path in paths for clip in _listed(os.fspath(path)))
    return list({clip.absolute(): clip for clip in reversed([*found])}.values())[::-1]


def _listed(text: str) -> Iterator[Path]:
    if text == "-":
        lines, folder = sys.stdin.buffer.read(), Path()
    elif text.startswith("@"):
        with open_file(text[1:]) as file:
            lines, folder = file.read(), Path(text[1:]).parent
    else:
        if not (clips := _matches(Path(text))):
            raise InputError(f"{printable(text)} matches no audio: check the path")
        yield from clips
        return
    entries = [folder / os.fsdecode(line) for line in lines.splitlines() if line.strip()]
    if not entries:
        raise InputError(f"the list {printable(text)} names no clip: write one path a line")
    for entry in entries:
        yield from _matches(entry) or [entry]


def _matches(path: Path) -> list[Path]:
    """One file, the audio below one folder, or what a glob matches."""
    if path.is_dir():
        return [clip for clip in _below(path) if is_audio(clip)]
    if os.path.lexists(path):
        return [path]
    base = Path(path.anchor)
    globbed = sorted(base.glob(str(path.relative_to(base))))
    return [clip for match in globbed for clip in _matches(match)]


def _below(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder, onerror=_unlistable):
        folders.sort()
        yield from (Path(parent, name) for name in sorted(names))


def _unlistable(error: OSError) -> None:
    raise InputError(f"{printable(error.filename)} can't be searched: ask for permission, or leave it out") from error
