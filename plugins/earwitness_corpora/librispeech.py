"""`librispeech`: LibriSpeech: genuine speech of audiobooks."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from earwitness_corpora._files import clips_named, split_of

CLIP = re.compile(r"(\d+)-(\d+)-\d+")


@dataclass(frozen=True, slots=True)
class LibriSpeech:
    """Utterances by subset, reader and chapter, all of the source `genuine`.

    The layout is that of the corpus's README.TXT (Panayotov et al., "LibriSpeech: an ASR corpus based on public domain
    audio books", ICASSP 2015; openslr.org/12), with speakers that are in one subset only:

        {train-clean-100,dev-other,test-clean,...}/<reader>/<chapter>/<reader>-<chapter>-<utterance>.flac

    `session` is the chapter; the split is that of which the subset's name speaks.
    """

    name: ClassVar[str] = "librispeech"

    def __call__(self, root: Path) -> Iterator[Mapping[str, str]]:
        """The rows; ManifestError where no file is named in this way."""
        for file, found in clips_named(root, CLIP, "<reader>-<chapter>-<utterance>.flac", "use 'folders' for others"):
            yield _row(file, file.relative_to(root.parent).parts[:-1], found[1], found[2])


def _row(file: Path, folders: tuple[str, ...], reader: str, chapter: str) -> Mapping[str, str]:
    subset = next((folder for folder in reversed(folders) if split_of(folder)), "")
    return {
        "path": str(file),
        "source": "genuine",
        "task": "system",
        "split": split_of(subset),
        "speaker": reader,
        "text_id": file.stem,
        "session": chapter,
        "corpus": "librispeech",
        "language": "en",
        "subset": subset,
    }
