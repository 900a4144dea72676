"""What the readers share: finding files below a folder, and reading the lists that a corpus brings."""

import csv
import gzip
import os
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path
from unicodedata import normalize

from earwitness.audio import printable
from earwitness.errors import ManifestError

LOSSLESS = (".wav", ".flac", ".aif", ".aiff", ".au", ".caf", ".sph", ".w64")
LOSSY = (".mp3", ".ogg", ".oga", ".opus", ".m4a", ".mp4", ".aac", ".wma", ".amr", ".3gp", ".webm")
AUDIO = (*LOSSLESS, *LOSSY)
"""Endings of audio files: a corpus of a million files can't be told by content while someone waits."""

OWN = ("path", "task", "start", "end")
"""Columns whose meaning is the manifest's own: a list may use the words for something else."""

SPLITS = {
    **dict.fromkeys(("train", "training", "trn", "tr"), "train"),
    **dict.fromkeys(("dev", "development", "valid", "validation", "val", "cv"), "dev"),
    **dict.fromkeys(("test", "testing", "tst", "eval", "evaluation"), "test"),
}


def files_below(root: Path) -> list[Path]:
    """Every file below `root` in sorted order, without what systems hide there (`._a.wav`, `__MACOSX`).

    Links to folders are followed, each folder being visited once.

    Raises:
        ManifestError: there is no such folder, or one of its folders can't be searched.
    """
    if not root.is_dir():
        raise ManifestError(f"{printable(root)} is no folder: check the path, and unpack an archive first")
    found: list[Path] = []
    visited = {root.resolve()}
    for parent, folders, names in os.walk(root, onerror=_unlistable, followlinks=True):
        real = {Path(parent, folder).resolve(): folder for folder in sorted(folders, reverse=True)}
        folders[:] = sorted(folder for place, folder in real.items() if place not in visited and not _hidden(folder))
        visited.update(real)
        found += [Path(parent, name) for name in sorted(names) if not _hidden(name)]
    return found


def _hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def _unlistable(error: OSError) -> None:
    raise ManifestError(f"{printable(error.filename)} can't be searched: ask for permission, or leave it out")


def audio_in(files: Iterable[Path]) -> list[Path]:
    """Those of `files` that end as audio does, in upper or lower case."""
    return [file for file in files if file.suffix.lower() in AUDIO]


def audio_by_stem(files: Iterable[Path], suffix: str) -> dict[str, Path]:
    """Audio by its name without ending; of several the one that ends in `suffix`, else the first."""
    found: dict[str, Path] = {}
    for file in audio_in(files):
        if file.stem not in found or (file.suffix == suffix and found[file.stem].suffix != suffix):
            found[file.stem] = file
    return found


def settled(path: Path) -> Path:
    """`path`, or where it is missing, its name with another ending of audio or its accents composed otherwise."""
    if path.is_file() or not path.name or not path.parent.is_dir():
        return path
    endings = [path.suffix, *(ending for suffix in AUDIO for ending in (suffix, suffix.upper()))]
    forms = dict.fromkeys([str(path), normalize("NFC", str(path)), normalize("NFD", str(path))])
    others = (Path(form).with_suffix(ending) for form in forms for ending in endings)
    return next((other for other in others if other.is_file()), path)


def named(files: Iterable[Path], pattern: str) -> list[Path]:
    """Those of `files` whose name fits a pattern such as `*.csv`."""
    return [file for file in files if fnmatch(file.name, pattern)]


def absent(root: Path, wanted: str, way_out: str) -> ManifestError:
    """The error for a layout that isn't there."""
    return ManifestError(f"{printable(root)}: there is no {wanted} in it or below; {way_out}")


def clips_named(root: Path, pattern: re.Pattern[str], wanted: str, way_out: str) -> list[tuple[Path, re.Match[str]]]:
    """Audio below `root` whose name without ending fits `pattern`; ManifestError where there is none."""
    found = [(file, match) for file in audio_in(files_below(root)) if (match := pattern.fullmatch(file.stem))]
    if not found:
        raise absent(root, wanted, way_out)
    return found


def split_of(name: str) -> str:
    """The split that a file's or folder's name speaks of, as `train-clean-100` or `valid.csv` do; empty for none."""
    found = {SPLITS[word] for word in re.split(r"[^a-z]+", name.lower()) if word in SPLITS}
    return found.pop() if len(found) == 1 else ""


def lines(file: Path) -> Iterator[tuple[int, str]]:
    """The lines of a text that are not blank, and their numbers; of one that ends in `.gz`, unpacked.

    Raises:
        ManifestError: it can't be read, or isn't UTF-8.
    """
    opened = gzip.open if file.suffix == ".gz" else open
    try:
        with opened(file, "rt", encoding="utf-8-sig") as text:
            yield from ((number, line.strip()) for number, line in enumerate(text, start=1) if line.strip())
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise _unreadable(file, error) from None


def fields(file: Path, least: int, most: int = -1) -> Iterator[list[str]]:
    """The fields of each line, blanks between them, `least` at least; from the one numbered `most` (from 0) the rest.

    Raises:
        ManifestError: a line has fewer; the text names it.
    """
    for number, line in lines(file):
        found = line.split(maxsplit=most)
        if len(found) < least:
            raise ManifestError(f"{printable(file)}, line {number}: {len(found)} fields of {least}; mend or remove it")
        yield found


def table(file: Path, columns: Iterable[str], delimiter: str = ",") -> Iterator[dict[str, str]]:
    """The rows of a table with a header, by column; a field that a row lacks is empty.

    Raises:
        ManifestError: it can't be read, or lacks one of `columns`.
    """
    try:
        with file.open(newline="", encoding="utf-8-sig") as text:
            reader = csv.DictReader(text, delimiter=delimiter, restval="", skipinitialspace=delimiter == ",")
            header = [name or "" for name in reader.fieldnames or ()]
            if lacking := [column for column in columns if column not in header]:
                raise ManifestError(
                    f"{printable(file)}: there is no column {lacking[0]!r}, only {', '.join(header) or 'none'}; "
                    "check that this is the reader for it"
                )
            for record in reader:
                yield {name: value for name, value in record.items() if name}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise _unreadable(file, error) from None


def _unreadable(file: Path, error: Exception) -> ManifestError:
    return ManifestError(f"{printable(file)} can't be read as UTF-8 text ({error}); fetch or save it again")


def completed(row: Mapping[str, str], extra: Mapping[str, str]) -> dict[str, str]:
    """A row, and where it is silent, what else a list says of the clip; a split in the manifest's own words."""
    kept = {column: value for column, value in extra.items() if column not in OWN}
    if "split" in kept:
        kept["split"] = split_of(kept["split"])
    return {**kept, **{column: value for column, value in row.items() if value}}
