"""`speechbrain`: CSV manifests of SpeechBrain's recipes."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from earwitness.errors import ManifestError
from earwitness_corpora._files import absent, completed, files_below, named, settled, split_of, table


@dataclass(frozen=True, slots=True)
class SpeechBrain:
    """Rows of one CSV, or of all below a folder, such as train.csv, valid.csv and test.csv.

    The layout is what `speechbrain.dataio.dataio.load_data_csv` reads (Ravanelli et al., "SpeechBrain: A
    General-Purpose Speech Toolkit", arXiv 2106.04624): a column `ID`, others at will, and `$names` to be replaced:

        ID,duration,wav,start,stop,spk_id
        id10001--1,8.32,$data_root/wav/id10001/1.wav,0,48000,id10001

    `start` and `stop` count samples, as in the recipe for VoxCeleb. Further columns are kept. The split is what the
    CSV's name speaks of.

    Args:
        wav: The column with the path.
        source: The column that says what made a clip.
        speaker: The column with the speaker.
        data_folder: What every `$name` in a path stands for, and from where relative paths count; itself from the
            folder that is read on.
        rate: Samples a second that `start` and `stop` count.
        task: The question that the sources answer; empty for both.
    """

    name: ClassVar[str] = "speechbrain"
    wav: str = "wav"
    source: str = "source"
    speaker: str = "spk_id"
    data_folder: str = ""
    rate: int = 16000
    task: Literal["", "system", "device"] = ""

    def __call__(self, root: Path) -> Iterator[Mapping[str, str]]:
        """The rows; ManifestError where no CSV is found, or one lacks `ID` or the column with the path."""
        folder, files = (root.parent, [root]) if root.is_file() else (root, named(files_below(root), "*.csv"))
        if not files:
            raise absent(root, "*.csv", "use 'kaldi' for wav.scp, 'lhotse' for cuts, 'folders' for a folder a class")
        for file in files:
            for record in table(file, ("ID", self.wav)):
                yield self._row(file, folder / self.data_folder, record)

    def _row(self, file: Path, base: Path, record: dict[str, str]) -> Mapping[str, str]:
        path = re.sub(r"\$[\w.]+", lambda _: str(base), record.pop(self.wav))
        row = {
            "path": str(settled(base / path)),
            "source": record.pop(self.source, ""),
            "task": self.task,
            "split": split_of(file.stem),
            "speaker": record.pop(self.speaker, ""),
            "corpus": file.parent.name,
            "start": self._seconds(file, record.pop("start", "")),
            "end": self._seconds(file, record.pop("stop", "")),
        }
        return completed(row, record)

    def _seconds(self, file: Path, samples: str) -> str:
        if samples and not samples.isdecimal():
            raise ManifestError(f"{file}: {samples!r} is no number of samples; give start and stop in whole samples")
        return str(round(int(samples) / self.rate, 6)) if samples else ""
