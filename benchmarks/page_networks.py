"""Networks for `pages.py`: one for each group of pages, learned from the clips of all other pages."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from engines import features_of
from numpy.typing import NDArray

from earwitness.manifest import Manifest, Row
from earwitness.model import Model
from earwitness.pipeline import Pipeline
from earwitness.plugins import load_catalogue
from earwitness.training import train
from earwitness.types import FloatArray, IntArray

WATCHED = 6
"""Every so many of the clips learned from watch over learning instead."""


def folds_of(pages: IntArray, part: NDArray[np.bool_], folds: int) -> IntArray:
    """A group for each clip's page, (clips,): the page of most clips that take part first, each to the least group."""
    names = np.unique(pages)
    counts = np.array([np.count_nonzero(part & (pages == name)) for name in names])
    sizes, fold_of = np.zeros(folds, int), dict.fromkeys(names.tolist(), 0)
    for at in np.argsort(-counts, kind="stable"):
        fold_of[int(names[at])] = smallest = int(sizes.argmin())
        sizes[smallest] += counts[at]
    return np.array([fold_of[page] for page in pages.tolist()], np.int64)


@dataclass(frozen=True)
class Networks:
    """What the networks hear in all clips: `vectors` (folds, N, d) of windows, their clips, and each clip's fold."""

    pipeline: Pipeline
    vectors: FloatArray
    clips: IntArray
    folds: IntArray

    @classmethod
    def hear(
        cls,
        pipeline: Pipeline,
        manifest: Manifest,
        taught: NDArray[np.bool_],
        folds: IntArray,
        work: Path,
    ) -> "Networks":
        """Train a network a fold on the clips `taught` (clips,) of the other folds, and hear all clips with each."""
        models = []
        for fold in np.unique(folds):
            rows = split(manifest.rows, taught & (folds != fold))
            folder = work / f"{pipeline.name}-{fold}"
            if not (folder / "pipeline.yaml").exists():
                train(pipeline, replace(manifest, rows=rows), folder, seed=0, cache=work / "features")
            models.append(Model.load(folder, load_catalogue()))
        features = features_of(models[0], manifest, "clean")  # the same for all
        heard = [np.stack([model.embed(each) for model in models]) for each in features]
        clips = np.repeat(np.arange(len(heard)), [each.shape[1] for each in heard])
        return cls(pipeline, np.concatenate(heard, axis=1), clips, folds)

    def vectors_without(self, page: NDArray[np.bool_]) -> FloatArray:
        """The windows (N, d) by the network that learned nothing of a page, whose clips are marked (clips,)."""
        found: FloatArray = self.vectors[self.folds[page][0]]
        return found


def split(rows: Sequence[Row], chosen: NDArray[np.bool_]) -> tuple[Row, ...]:
    """The chosen rows, some of them to watch."""
    kept = [row for row, take in zip(rows, chosen, strict=True) if take]
    return tuple(replace(row, split="train" if at % WATCHED else "dev") for at, row in enumerate(kept))
