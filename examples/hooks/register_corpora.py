"""A corpus reader: `systems.tsv`, a line a clip, with its path, what made it and whose voice it is."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from earwitness import hookimpl
from earwitness.contracts import CorpusReader
from earwitness.errors import ManifestError


@dataclass(frozen=True, slots=True)
class AcmeCorpus:
    """Acme's own clips of other vendors.

    Args:
        split: Where all of them stand.
    """

    name: ClassVar[str] = "acme"
    split: str = "train"

    def __call__(self, root: Path) -> Iterator[Mapping[str, str]]:
        """The rows, in the order of the list."""
        file = root / "systems.tsv"
        if not file.is_file():
            raise ManifestError(f"{file} is missing: give the folder that holds it")
        for number, line in enumerate(file.read_text("utf-8").splitlines(), start=1):
            fields = line.split("\t")
            if len(fields) != 3:
                raise ManifestError(f"{file}, line {number}: {len(fields)} fields, not path, system and speaker")
            yield {
                "split": self.split,
                "corpus": "acme",
                **dict(zip(("path", "source", "speaker"), fields, strict=True)),
            }


@hookimpl
def register_corpora() -> Iterable[type[CorpusReader]]:
    """Return the reader."""
    return [AcmeCorpus]
