"""`tau-mobile`: TAU Urban Acoustic Scenes Mobile (2020 and 2022): scenes heard by several devices at once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from earwitness_corpora._files import absent, files_below, named, settled, table

FOLDS = {"fold1_train.csv": "train", "fold1_evaluate.csv": "test"}


@dataclass(frozen=True, slots=True)
class TAUMobile:
    """Clips of `meta.csv`: source is `tau-` and the device: a, b, c are real, s1 to s6 simulated from a.

    The corpus is Heittola, Mesaros & Virtanen, "Acoustic scene classification in DCASE 2020 Challenge: generalization
    across devices and low complexity solutions", DCASE 2020 (zenodo.org/record/3819968; of 2022: 6337421). The layout
    is that which soundata's loader tau2020uas_mobile reads, with tabs between the columns:

        meta.csv                            filename scene_label identifier source_label
            audio/airport-barcelona-0-0-a.wav    airport    barcelona-0    a
        evaluation_setup/fold1_train.csv, fold1_evaluate.csv        filename scene_label
        audio/airport-barcelona-0-0-a.wav   scene, city, location, segment, device

    `session` is the place; `text_id` the segment without its device, which other devices heard at the same time. Clips
    that the setup leaves out are in no split. The evaluation sets say nothing of devices, and can't be read.
    """

    name: ClassVar[str] = "tau-mobile"

    def __call__(self, root: Path) -> Iterator[Mapping[str, str]]:
        """The rows; ManifestError where no `meta.csv` is found, or it names no devices."""
        metas = named(files_below(root), "meta.csv")
        if not metas:
            raise absent(root, "meta.csv", "unpack the .meta.zip of a development set here: evaluation sets have none")
        for meta in metas:
            splits = _splits(meta.parent / "evaluation_setup")
            for record in table(meta, ("filename", "scene_label", "identifier", "source_label"), delimiter="\t"):
                yield _row(meta.parent, record, splits)


def _splits(folder: Path) -> dict[str, str]:
    """Clip -> split, by the official setup as far as it is there."""
    lists = {folder / name: split for name, split in FOLDS.items() if (folder / name).is_file()}
    return {row["filename"]: split for file, split in lists.items() for row in table(file, ("filename",), "\t")}


def _row(folder: Path, record: Mapping[str, str], splits: Mapping[str, str]) -> Mapping[str, str]:
    clip = record["filename"]
    return {
        "path": str(settled(folder / clip)),
        "source": f"tau-{record['source_label']}",
        "task": "device",
        "split": splits.get(clip, ""),
        "text_id": Path(clip).stem.rpartition("-")[0],
        "session": record["identifier"],
        "corpus": "tau-mobile",
        "scene": record["scene_label"],
    }
