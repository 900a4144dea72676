"""`lhotse`: cut manifests of Lhotse, `.jsonl` or `.jsonl.gz`."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from earwitness.errors import ManifestError
from earwitness_corpora._files import absent, completed, files_below, lines, named, settled, split_of


@dataclass(frozen=True, slots=True)
class Lhotse:
    """Cuts, one JSON object a line, of one manifest or of all below a folder whose names contain `cuts`.

    The layout is what Lhotse writes (lhotse.readthedocs.io, Cuts; Żelasko et al., "Lhotse: a speech data representation
    library for the modern deep learning ecosystem", arXiv 2110.12561), as public manifests show it:

        {"id": "c1", "start": 0.5, "duration": 2.0, "channel": 0, "type": "MonoCut",
         "recording": {"id": "r1", "sources": [{"type": "file", "channels": [0], "source": "a.wav"}], "duration": 9.0},
         "supervisions": [{"speaker": "ann", "language": "English", "custom": {...}}], "custom": {"source": "acme"}}

    Plain values under `custom`, of the cut or its supervisions, become columns. The split is what the manifest's name
    speaks of, as `cuts_train-clean-100.jsonl.gz`. Sound that isn't in a file of its own (a command, an address, a shard
    of Shar, a mix of cuts) is refused.

    Args:
        source: The key under `custom` that says what made a cut.
        base: The folder from which paths count, itself from that of the manifest on.
        task: The question that the sources answer; empty for both.
    """

    name: ClassVar[str] = "lhotse"
    source: str = "source"
    base: str = ""
    task: Literal["", "system", "device"] = ""

    def __call__(self, root: Path) -> Iterator[Mapping[str, str]]:
        """The rows; ManifestError where no manifest is found, or a line is no cut of a file."""
        manifests = [root] if root.is_file() else _manifests(root)
        for manifest in manifests:
            for number, line in lines(manifest):
                yield self._read(manifest, number, line)

    def _read(self, manifest: Path, number: int, line: str) -> Mapping[str, str]:
        try:
            return self._row(manifest, json.loads(line))
        except (LookupError, TypeError, AttributeError, ValueError) as error:
            raise ManifestError(
                f"{manifest}, line {number}: no cut of a file of sound ({type(error).__name__}: {error}); save cuts "
                "with CutSet.save_audios, and read the manifest that it returns"
            ) from None

    def _row(self, manifest: Path, cut: Mapping[str, Any]) -> Mapping[str, str]:
        supervisions = cut.get("supervisions") or []
        extra = _plain(*(part.get("custom") for part in (*supervisions, cut)))
        start, end = _stretch(cut)
        row = {
            "path": str(settled(manifest.parent / self.base / _file(cut))),
            "source": extra.pop(self.source, ""),
            "task": self.task,
            "split": split_of(manifest.name),
            "session": str(cut["recording"]["id"]),
            "corpus": manifest.name.partition(".")[0],
            "start": start,
            "end": end,
            "cut": str(cut["id"]),
            **{column: _common(supervisions, column) for column in ("speaker", "language", "gender")},
        }
        return completed(row, extra)


def _manifests(root: Path) -> list[Path]:
    files = files_below(root)
    if not (found := [*named(files, "*cuts*.jsonl"), *named(files, "*cuts*.jsonl.gz")]):
        raise absent(root, "*cuts*.jsonl or *cuts*.jsonl.gz", "name the manifest itself, or use 'kaldi' for wav.scp")
    return sorted(found)


def _file(cut: Mapping[str, Any]) -> str:
    """The file that holds the cut's first channel."""
    channel = cut["channel"]
    first = channel[0] if isinstance(channel, list) else channel
    (source,) = (each for each in cut["recording"]["sources"] if first in each["channels"])
    if source["type"] != "file":
        raise ValueError(f"its sound is of type {source['type']!r}")
    return str(source["source"])


def _stretch(cut: Mapping[str, Any]) -> tuple[str, str]:
    """Start and end in seconds, empty where the cut is its whole recording."""
    start, end = float(cut["start"]), float(cut["start"]) + float(cut["duration"])
    whole = start == 0 and end >= float(cut["recording"]["duration"]) - 1e-3
    return ("", "") if whole else (str(round(start, 6)), str(round(end, 6)))


def _common(supervisions: list[Mapping[str, Any]], key: str) -> str:
    """What all supervisions say alike."""
    said = {str(each.get(key) or "") for each in supervisions}
    return said.pop() if len(said) == 1 else ""


def _plain(*customs: Mapping[str, Any] | None) -> dict[str, str]:
    """The texts and numbers of several mappings, later ones first."""
    merged = {key: value for custom in customs for key, value in (custom or {}).items()}
    return {key: str(value) for key, value in merged.items() if isinstance(value, str | int | float)}
