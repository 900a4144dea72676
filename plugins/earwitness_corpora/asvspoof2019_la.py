"""`asvspoof2019-la`: ASVspoof 2019, logical access: 17 spoofing systems A01 to A19, and genuine speech."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from earwitness_corpora._files import absent, audio_by_stem, fields, files_below, named

PARTS = {"train": ("train", "trn"), "dev": ("dev", "trl"), "test": ("eval", "trl")}
"""Split -> how the corpus calls it, and its protocol."""


@dataclass(frozen=True, slots=True)
class ASVspoof2019LA:
    """Trials of the countermeasure protocols: source is the system id, of bonafide speech `genuine`.

    The layout is that of the corpus's README.LA.txt (Wang et al., "ASVspoof 2019: a large-scale public database of
    synthesized, converted and replayed speech", Computer Speech & Language 64, 2020; doi 10.7488/ds/2555):

        LA/ASVspoof2019_LA_cm_protocols/ASVspoof2019.LA.cm.{train.trn,dev.trl,eval.trl}.txt
            LA_0079 LA_T_1138215 - - bonafide       speaker, trial, unused, system, key
        LA/ASVspoof2019_LA_{train,dev,eval}/flac/LA_T_1138215.flac

    Files are found by name at any depth. `eval` is the split `test`. A16 and A19 are the systems A04 and A06 again, for
    other speakers. Physical access has other columns and no systems.
    """

    name: ClassVar[str] = "asvspoof2019-la"

    def __call__(self, root: Path) -> Iterator[Mapping[str, str]]:
        """The rows; ManifestError where no protocol is found."""
        files = files_below(root)
        audio = audio_by_stem(files, ".flac")
        protocols = {split: named(files, f"ASVspoof2019.LA.cm.{'.'.join(part)}.txt") for split, part in PARTS.items()}
        if not any(protocols.values()):
            raise absent(
                root, "ASVspoof2019.LA.cm.*.txt", "unpack LA.zip here, or use 'asvspoof2021' for the later keys"
            )
        for split, found in protocols.items():
            for protocol in found[:1]:
                folder = protocol.parent.parent / f"ASVspoof2019_LA_{PARTS[split][0]}" / "flac"
                yield from _rows(protocol, split, folder, audio)


def _rows(protocol: Path, split: str, folder: Path, audio: Mapping[str, Path]) -> Iterator[Mapping[str, str]]:
    for speaker, trial, _, system, key, *_ in fields(protocol, 5):
        yield {
            "path": str(audio.get(trial) or folder / f"{trial}.flac"),
            "source": "genuine" if key == "bonafide" else system,
            "task": "system",
            "split": split,
            "speaker": speaker,
            "corpus": "asvspoof2019-la",
            "language": "en",
        }
