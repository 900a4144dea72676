"""Make the genuine speech of the starter registry: people's recordings, brought to the form of the made clips.

The recordings get the level range, edge and dither of make_clips.py, so that none of these tells people from
systems, and keep their rate. No speaker, and no sentence that two speakers read, stands in two splits.
"""

import csv
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Annotated

import make_clips
import numpy as np
import soundfile
import typer
from numpy.typing import NDArray
from rich.progress import track

SHARES = {"train": 0.6, "dev": 0.15, "test": 0.25}  # of the speakers
LONGEST = 15.0  # seconds of a clip
PAUSE_SEARCH = 2.0  # seconds before the longest end in which a pause may end the clip instead
PAUSE_SECONDS = 0.05

Row = dict[str, str]


def read_rows(manifest: Path) -> list[Row]:
    """Return the rows of a manifest with absolute paths."""
    with manifest.open(newline="", encoding="utf-8") as file:
        return [row | {"path": str(manifest.parent.resolve() / row["path"])} for row in csv.DictReader(file)]


def write_rows(manifest: Path, columns: list[str], rows: list[Row]) -> None:
    """Write rows as a manifest; a column that a row lacks stays empty."""
    manifest.parent.mkdir(parents=True, exist_ok=True)
    with manifest.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def text_id(row: Row) -> str:
    """Return the corpus and the file's name without the speaker: VCTK's `p225_003` is `vctk-003` for all speakers."""
    corpus, _, speaker = row["speaker"].partition("-")
    return f"{corpus}-{Path(row['path']).stem.replace(speaker, '', 1).strip('_-')}"


def speaker_groups(rows: list[Row]) -> list[set[str]]:
    """Return the speakers in groups: those who read a sentence in common are together."""
    readers: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        readers[text_id(row)].add(row["speaker"])
    groups: list[set[str]] = []
    for speakers in readers.values():
        joined = [group for group in groups if group & speakers]
        groups = [group for group in groups if not group & speakers] + [speakers.union(*joined)]
    return groups


def splits(rows: list[Row], rng: np.random.Generator) -> dict[str, str]:
    """Return each speaker's split; those with many clips and those with one are shared out alike."""
    clips: dict[str, int] = defaultdict(int)
    for row in rows:
        clips[row["speaker"]] += 1
    found: dict[str, str] = {}
    groups = sorted(speaker_groups(rows), key=min)
    for many in (True, False):
        stratum = [group for group in groups if (max(clips[speaker] for speaker in group) > 1) is many]
        bounds = np.cumsum(list(SHARES.values())) * len(stratum)
        for place, index in enumerate(rng.permutation(len(stratum))):
            split = list(SHARES)[int(np.searchsorted(bounds, place + 0.5))]
            found |= dict.fromkeys(stratum[index], split)
    return found


def shortened(samples: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    """Return samples of at most `LONGEST`, cut at the quietest place of their last two seconds."""
    if samples.size <= LONGEST * rate:
        return samples
    frame = int(PAUSE_SECONDS * rate)
    start, end = int((LONGEST - PAUSE_SEARCH) * rate), int(LONGEST * rate)
    frames = samples[start : end - (end - start) % frame].reshape(-1, frame)  # (frames, frame)
    return samples[: start + int(np.argmin(np.mean(frames**2, axis=1))) * frame]


def clip(row: Row, split: str, index: int, out: Path, rng: np.random.Generator) -> Row:
    """Bring one recording to the collection's form and return its row."""
    channels, rate = soundfile.read(row["path"], always_2d=True)  # (samples, channels)
    path = Path("genuine", split, f"genuine_{split}_{index:04d}.flac")
    with tempfile.NamedTemporaryFile(suffix=".wav") as wav:
        soundfile.write(wav.name, shortened(channels[:, 0], rate), rate, subtype="FLOAT")
        form = make_clips.finish(Path(wav.name), out / path, rng)
    who = {"speaker": row["speaker"], "voice": row["speaker"], "voice_in_train": str(int(split == "train"))}
    what = {"path": str(path), "source": "genuine", "task": "system", "split": split, "family": "genuine"}
    kept = {column: row[column] for column in ("language", "corpus", "license")}
    return what | who | kept | form | {"text_id": text_id(row)}


def first_clips(rows: list[Row], most: int) -> list[Row]:
    """Return the rows without those beyond a speaker's first `most`."""
    taken: Counter[str] = Counter()
    kept = []
    for row in rows:
        taken[row["speaker"]] += 1
        if taken[row["speaker"]] <= most:
            kept.append(row)
    return kept


def main(
    speech: Annotated[Path, typer.Option(help="Manifest with path, speaker, language, corpus, license.")],
    out: Annotated[Path, typer.Option(help="Folder for the clips and manifest.csv.")],
    prefix: Annotated[list[str], typer.Option(help="Take the rows whose path starts so; may be given again.")],
    most: Annotated[int, typer.Option(help="Clips of a speaker at most.", min=1)] = 6,
    seed: Annotated[int, typer.Option(help="Draws splits, levels and dither.")] = 0,
) -> None:
    """Share people's recordings out to train, dev and test by speaker and list them in a manifest."""
    rng = np.random.default_rng(seed)
    starts = tuple(f"{speech.parent.resolve()}/{start}" for start in prefix)
    rows = [row for row in read_rows(speech) if row["path"].startswith(starts)]
    split = splits(rows, rng)
    kept = list(enumerate(track(first_clips(rows, most), "genuine")))
    named = [clip(row, split[row["speaker"]], index, out, rng) for index, row in kept]
    write_rows(out / "manifest.csv", make_clips.COLUMNS, named)


if __name__ == "__main__":
    typer.run(main)
