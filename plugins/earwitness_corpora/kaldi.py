"""`kaldi`: data folders of Kaldi and ESPnet: `wav.scp`, and what stands beside it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from earwitness.errors import ManifestError
from earwitness_corpora._files import absent, completed, fields, files_below, lines, named, settled, split_of

COLUMNS = {"utt2spk": "speaker", "utt2lang": "language"}


@dataclass(frozen=True, slots=True)
class Kaldi:
    """Utterances of each folder with a `wav.scp`, cut by `segments` where that is there.

    The layout is that of Kaldi's documentation (kaldi-asr.org/doc/data_prep.html), one entry a line, sorted:

        wav.scp         <recording> <path>
        segments        <utterance> <recording> <start> <end>       seconds, an end below 0 is the file's
        utt2spk         <utterance> <speaker>                       and likewise any utt2...

    Each `utt2...` becomes a column: `utt2spk` is `speaker` (where it isn't the utterance itself), `utt2lang` is
    `language`, and the one named by `source` is `source`. The split is what the folder's name speaks of, as
    `train_clean`. Parts that Kaldi made of a folder (`split4`) are left out. An entry that is a command (`sph2pipe ...
    |`) or lies in an archive (`raw.ark:17`) is refused, for nothing is run here.

    Args:
        source: The file that says what made an utterance.
        base: The folder from which paths in `wav.scp` count, itself from the one that is read on; Kaldi's own is that
            of the recipe, where `path.sh` stands.
        task: The question that the sources answer; empty for both.
    """

    name: ClassVar[str] = "kaldi"
    source: str = "utt2src"
    base: str = ""
    task: Literal["", "system", "device"] = ""

    def __call__(self, root: Path) -> Iterator[Mapping[str, str]]:
        """The rows; ManifestError where no `wav.scp` is found, or an entry is no file."""
        folders = [file.parent for file in named(files_below(root), "wav.scp")]
        if not folders:
            raise absent(
                root, "wav.scp", "use 'lhotse' for cuts, 'speechbrain' for CSV, 'folders' for a folder a class"
            )
        for folder in folders:
            if not set(folder.parents) & set(folders):
                yield from self._rows(folder, root / self.base)

    def _rows(self, folder: Path, base: Path) -> Iterator[Mapping[str, str]]:
        recordings = {recording: str(settled(base / path)) for recording, path in _recordings(folder / "wav.scp")}
        maps = self._maps(folder)
        for utterance, recording, start, end in _utterances(folder / "segments", recordings):
            if recording not in recordings:
                raise ManifestError(f"{folder / 'segments'}: {recording!r} isn't in wav.scp; mend one of them")
            row = {
                "path": recordings[recording],
                "task": self.task,
                "split": split_of(folder.name),
                "session": recording if start else "",
                "corpus": folder.name,
                "start": start,
                "end": "" if end.startswith("-") else end,
                "utterance": utterance,
            }
            yield completed(row, {column: said.get(utterance, "") for column, said in maps.items()})

    def _maps(self, folder: Path) -> dict[str, dict[str, str]]:
        """Column -> utterance -> what the folder's `utt2...` says."""
        names = COLUMNS | {self.source: "source"}
        files = [file for file in sorted(folder.iterdir()) if re.fullmatch(r"utt2\w+", file.name)]
        return {names.get(file.name, file.name[4:]): _map(file) for file in files}


def _map(file: Path) -> dict[str, str]:
    return {key: value for key, value in fields(file, 2, most=1) if value != key}


def _recordings(file: Path) -> Iterator[tuple[str, str]]:
    for number, line in lines(file):
        recording, *rest = line.split(maxsplit=1)
        entry = "".join(rest)
        if entry in ("", "-") or entry.endswith("|") or re.search(r"\.ark:\d+$", entry):
            raise ManifestError(
                f"{file}, line {number}: {entry!r} is no file; write each sound to a file and list that, as ESPnet's "
                "format_wav_scp.sh does"
            )
        yield recording, entry


def _utterances(segments: Path, recordings: Mapping[str, str]) -> Iterator[tuple[str, str, str, str]]:
    """Utterance, recording, start and end."""
    if not segments.is_file():
        yield from ((recording, recording, "", "") for recording in recordings)
        return
    for utterance, recording, start, end, *_ in fields(segments, 4):
        yield utterance, recording, start, end
