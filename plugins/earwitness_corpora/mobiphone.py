"""`mobiphone`: MOBIPHONE: 21 phones that recorded the same 24 speakers of TIMIT."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from earwitness_corpora._files import clips_named

SPEAKER = re.compile(r"speaker[ _-]?(\d+)", re.IGNORECASE)
TRAIN = frozenset({5, 6, 8, 10, 11, 13, 15, 16, 18, 20, 21, 23})


@dataclass(frozen=True, slots=True)
class MOBIPHONE:
    """A folder a phone, a file a speaker: source is the folder.

    The corpus is Kotropoulos & Samaras, "Mobile phone identification using recorded speech signals", DSP 2014. The
    layout, and the six women and six men for training, are those of the code of Kritsiolis & Kotropoulos, "Mobile Phone
    Identification from Recorded Speech Signals Using Non-Speech Segments and Universal Background Model Adaptation",
    ICPRAM 2024:

        <phone>/speaker<1 to 24>.wav            HTC desire c/speaker5.wav

    All phones heard a speaker say the same, so that `text_id` is the speaker.
    """

    name: ClassVar[str] = "mobiphone"

    def __call__(self, root: Path) -> Iterator[Mapping[str, str]]:
        """The rows; ManifestError where no file is named after a speaker."""
        for file, found in clips_named(root, SPEAKER, "<phone>/speaker<number>.wav", "use 'folders' for others"):
            yield _row(file, int(found[1]))


def _row(file: Path, number: int) -> Mapping[str, str]:
    return {
        "path": str(file),
        "source": file.parent.name,
        "task": "device",
        "split": "train" if number in TRAIN else "test",
        "speaker": f"speaker{number}",
        "text_id": f"speaker{number}",
        "corpus": "mobiphone",
        "language": "en",
    }
