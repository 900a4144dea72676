"""`ccnu-mobile`: CCNU_Mobile: 45 phones and tablets that recorded the same speech at once."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from earwitness_corpora._files import clips_named

CLIP = re.compile(r".*_(\d+)")


@dataclass(frozen=True, slots=True)
class CCNUMobile:
    """A folder a device, clips numbered: source is the folder, and `text_id` the number, for all heard the same.

    TIMIT's training set was played as one file of 110 minutes in a quiet studio, and what each device recorded was cut
    into 642 clips of about 10 s (Zeng et al., "Mobile Recording Device Recognition Based Cross-Scale and Multi-Level
    Representation Learning"; the corpus is of 2019). The papers print no layout; it is that of feature extraction code
    published for the corpus, which also takes clips 1 to 514 for training and 515 to 642 for test:

        <device>/<device>_<number>.wav          huwei_honor8(1)/huwei_honor8(1)_17.wav

    A number in brackets tells apart units of one `model`, the folder's name without it.

    Args:
        train: The last number of the training set; later ones are the test set.
    """

    name: ClassVar[str] = "ccnu-mobile"
    train: int = 514

    def __call__(self, root: Path) -> Iterator[Mapping[str, str]]:
        """The rows; ManifestError where no clip is numbered in this way."""
        for file, found in clips_named(root, CLIP, "<device>/<device>_<number>.wav", "use 'folders' for others"):
            yield self._row(file, int(found[1]))

    def _row(self, file: Path, number: int) -> Mapping[str, str]:
        return {
            "path": str(file),
            "source": file.parent.name,
            "task": "device",
            "split": "train" if number <= self.train else "test",
            "text_id": str(number),
            "corpus": "ccnu-mobile",
            "model": re.sub(r"\s*\(\d+\)$", "", file.parent.name),
            "language": "en",
        }
