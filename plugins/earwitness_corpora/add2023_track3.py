"""`add2023-track3`: Audio Deepfake Detection 2023, track 3: which algorithm made a Mandarin clip."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from earwitness.errors import ManifestError
from earwitness_corpora._files import absent, fields, files_below, named, settled, split_of


@dataclass(frozen=True, slots=True)
class ADD2023Track3:
    """Clips of each `label.txt`: source is `add2023-` and the class, for the organisers name no algorithm.

    The corpus is Yi et al., "ADD 2023: Towards Audio Deepfake Detection and Analysis in the Wild" (arXiv 2408.04967).
    The layout is the one on which code that reads it agrees:

        {train,dev,test}/label.txt         ADD2023_T3_T_00000000.wav 3
        {train,dev,test}/wav/ADD2023_T3_T_00000000.wav

    Classes are 0 to 6, and 7 in the test set what wasn't trained for, a clip of no known source. **Which class is
    genuine speech could not be verified with the organisers' plan**: it is 0 in the code found.

    Args:
        genuine: The class of genuine speech.
        unknown: The class of algorithms that are in no training set.
    """

    name: ClassVar[str] = "add2023-track3"
    genuine: int = 0
    unknown: int = 7

    def __call__(self, root: Path) -> Iterator[Mapping[str, str]]:
        """The rows; ManifestError where no `label.txt` is found, or its labels are not numbers."""
        lists = named(files_below(root), "label.txt")
        if not lists:
            raise absent(root, "{train,dev,test}/label.txt", "use 'folders' for a folder a class")
        for labels in lists:
            for clip, label, *_ in fields(labels, 2):
                if not label.isdecimal():
                    raise ManifestError(f"{labels}: {label!r} is no class of track 3, 0 to 7; this is another track")
                yield self._row(labels.parent, clip, int(label))

    def _row(self, folder: Path, clip: str, label: int) -> Mapping[str, str]:
        name = clip if Path(clip).suffix else f"{clip}.wav"
        known = {self.genuine: "genuine", self.unknown: "unknown"}
        return {
            "path": str(settled(folder / "wav" / name)),
            "source": known.get(label, f"add2023-{label}"),
            "task": "system",
            "split": split_of(folder.name),
            "corpus": "add2023-track3",
            "language": "zh",
            "class": str(label),
        }
