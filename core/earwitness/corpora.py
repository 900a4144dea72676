"""From the rows of a corpus reader to a manifest: which clips are there, and their columns written as CSV."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from earwitness.audio import printable
from earwitness.errors import ManifestError, OptionError

__all__ = ["Corpus", "gather", "write_manifest"]

FIRST = ("path", "source", "task", "split", "speaker", "text_id", "session", "corpus", "start", "end")
"""The columns that a manifest begins with, as far as any row fills them."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """The clips of a corpus: `rows` of those that are there, `path` absolute, and the paths of those `missing`."""

    rows: tuple[Mapping[str, str], ...]
    missing: tuple[str, ...]


def gather(rows: Iterable[Mapping[str, str]], root: Path) -> Corpus:
    """Part what a reader found in `root` into clips that are there and clips that are missing.

    Raises:
        ManifestError: there is no `root` or no clip, or what the reader itself raises.
    """
    if not root.exists():
        raise ManifestError(f"{printable(root)} does not exist: check the path")
    folder = root if root.is_dir() else root.parent
    there: list[Mapping[str, str]] = []
    missing: list[str] = []
    for row in rows:
        path = folder / row["path"]
        if path.is_file():
            there.append({**row, "path": str(path)})
        else:
            missing.append(str(path))
    if not there:
        looked = f"the first of {len(missing)}, {printable(missing[0])}, is missing" if missing else "none is listed"
        raise ManifestError(
            f"{printable(root)}: no clip is there, {looked}; unpack the audio beside the lists, or let paths count "
            "from elsewhere (--set base=FOLDER, where the reader has it)"
        )
    return Corpus(tuple(there), tuple(missing))


def write_manifest(file: Path, rows: Sequence[Mapping[str, str]]) -> None:
    """Write rows as CSV, paths from the manifest's folder on where they lie in it, otherwise absolute.

    Columns that no row fills are left out, except `path` and `source`.

    Raises:
        OptionError: `file` doesn't end in `.csv`, or can't be written.
        ManifestError: a manifest can't hold a clip's name.
    """
    if file.suffix.lower() != ".csv":
        raise OptionError(f"{printable(file)}: a manifest is written as CSV; let its name end in .csv")
    folder = file.resolve().parent
    filled = {column: None for row in rows for column, value in row.items() if value}
    columns = [*(column for column in FIRST if column in {"path", "source", *filled}), *filled]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with file.open("w", newline="", encoding="utf-8") as out:
            writer = csv.DictWriter(out, dict.fromkeys(columns), restval="", extrasaction="ignore")
            writer.writeheader()
            writer.writerows({**row, "path": _entry(Path(row["path"]).absolute(), folder)} for row in rows)
    except OSError as error:
        raise OptionError(f"{printable(file)} can't be written ({error.strerror}): choose another place") from error


def _entry(path: Path, folder: Path) -> str:
    """A path as a manifest in `folder` says it; UTF-8, and without blanks at its ends, which readers cut off."""
    text = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ManifestError(f"{printable(path)}: the name isn't UTF-8, and a manifest is; rename the file") from None
    if text != text.rstrip():
        raise ManifestError(f"{printable(path)}: the name ends in a blank, which manifests lose; rename the file")
    return text if text == text.lstrip() else f"./{text}"
