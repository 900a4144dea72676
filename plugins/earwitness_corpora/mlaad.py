"""`mlaad`: the Multi-Language Audio Anti-Spoofing Dataset: text-to-speech models in many languages."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from earwitness_corpora._files import absent, completed, files_below, named, settled, table

COLUMNS = ("path", "original_file", "model_name", "architecture")


@dataclass(frozen=True, slots=True)
class MLAAD:
    """Clips of each model's `meta.csv`: source is the model's name, `family` its architecture.

    The corpus is Müller et al., "MLAAD: The Multi-Language Audio Anti-Spoofing Dataset", IJCNN 2024 (arXiv 2401.09512).
    The layout is the one on which the code published for versions 3 and 5 agrees:

        fake/<language>/<model>/meta.csv            with | between the columns
            path|original_file|language|is_original_language|duration|training_data|model_name|architecture|transcript
            ./fake/en/<model>/a.wav|en_US/by_book/female/mary_ann/midnight_passenger/wavs/a.wav|en|...
        fake/<language>/<model>/a.wav

    `original_file` is the M-AILABS recording whose text is spoken, and so the `text_id`; further columns of later
    versions are kept. All clips are synthetic, and there are no splits: leave out whole models or texts.
    """

    name: ClassVar[str] = "mlaad"

    def __call__(self, root: Path) -> Iterator[Mapping[str, str]]:
        """The rows; ManifestError where no `meta.csv` is found, or one lacks a column."""
        metas = named(files_below(root), "meta.csv")
        if not metas:
            raise absent(root, "<language>/<model>/meta.csv", "use 'folders' for a folder a class")
        for meta in metas:
            for record in table(meta, COLUMNS, delimiter="|"):
                row = {  # `path` counts from a folder that is named otherwise in some copies
                    "path": str(settled(meta.parent / Path(record["path"]).name)),
                    "source": record.pop("model_name"),
                    "task": "system",
                    "text_id": record.pop("original_file"),
                    "corpus": "mlaad",
                    "family": record.pop("architecture"),
                }
                yield completed(row, record)
