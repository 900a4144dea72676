"""Corpus readers: a known layout of files to the rows of a manifest."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from earwitness.contracts import CorpusReader
from earwitness.errors import ManifestError
from earwitness.testing.bench import expect

__all__ = ["RULES"]

LITTER = {"readme.txt": b"none of yours\n", "a b/meta.csv": b"\xff\xfe\x00,", "a b/c.wav": b"", "d.json": b"{"}


def refusal(reader: CorpusReader, folder: Path) -> str | None:
    """What a reader says against a folder, if it does; RuleError unless its rows are text."""
    try:
        for row in reader(folder):
            plain = isinstance(row, Mapping) and all(isinstance(each, str) for pair in row.items() for each in pair)
            expect(plain and bool(row.get("path")), f"a row is {row!r}: it needs a path, and all as text")
    except ManifestError as error:
        return str(error)
    return None


def an_empty_folder_is_an_error(reader: CorpusReader) -> None:
    """Refuses a folder without its layout by a ManifestError that names what was looked for, and where."""
    with TemporaryDirectory() as folder:
        for root in (Path(folder), Path(folder) / "missing"):
            said = refusal(reader, root)
            expect(said is not None, "it reads an empty folder without a word")
            expect(root.name in str(said), f"it does not name the folder: {said}")


def strange_files_are_an_error(reader: CorpusReader) -> None:
    """Gives rows of text or a ManifestError for a folder of whatever files."""
    with TemporaryDirectory() as folder:
        for name, content in LITTER.items():
            file = Path(folder) / name
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(content)
        refusal(reader, Path(folder))
        left = {str(file.relative_to(folder)) for file in Path(folder).rglob("*") if file.is_file()}
        expect(left == set(LITTER), f"it changes the folder: {', '.join(sorted(left ^ set(LITTER)))}")


RULES = (an_empty_folder_is_an_error, strange_files_are_an_error)
