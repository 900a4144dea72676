"""Which clips training hears, and in what proportion."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from earwitness.errors import TrainingError
from earwitness.manifest import Manifest, Row, Split
from earwitness.pipeline import Recipe
from earwitness.training.features import Rendered
from earwitness.types import FloatArray, IntArray, Task

__all__ = ["Corpus", "batches", "crop", "gather"]


@dataclass(frozen=True, slots=True)
class Corpus:
    """Labelled clips of one split: `labels` (clips,) index into `sources`; `clips` their features once rendered."""

    rows: tuple[Row, ...]
    labels: IntArray
    sources: tuple[str, ...]
    clips: tuple[Rendered, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """Clips by source."""
        return dict(zip(self.sources, self._sizes().tolist(), strict=True))

    def draw(self, count: int, rng: np.random.Generator) -> IntArray:
        """Indices of `count` clips, a class with the root of its size, then a clip of it evenly.

        The root stands between the classes' own proportions, which starve the rare, and equal ones, which
        wear out their few clips (Mahajan et al., Exploring the limits of weakly supervised pretraining, ECCV 2018).
        """
        weights = (1.0 / np.sqrt(self._sizes()))[self.labels]
        drawn: IntArray = rng.choice(len(self.labels), size=count, p=weights / weights.sum())
        return drawn

    def draw_episode(self, count: int, shots: int, rng: np.random.Generator) -> IntArray:
        """Indices of `shots` different clips of each of `count` / `shots` classes, a class's side by side.

        Classes are drawn evenly, without repetition, from those that have so many clips; all of them where they are
        fewer.

        Raises:
            TrainingError: Fewer than two clips are asked for of each class, or fewer than two classes have them.
        """
        able = np.flatnonzero(self._sizes() >= shots)
        if shots < 2 or min(len(able), count // shots) < 2:
            raise TrainingError(
                f"an episode of {count} clips, {shots} of each source, takes two shots or more of two of the "
                f"{len(able)} sources that have them: change training.shots or training.batch, or add clips"
            )
        classes = rng.choice(able, min(len(able), count // shots), replace=False)
        return np.concatenate([rng.choice(np.flatnonzero(self.labels == k), shots, replace=False) for k in classes])

    def _sizes(self) -> IntArray:
        return np.bincount(self.labels, minlength=len(self.sources))


def gather(manifest: Manifest, task: Task) -> tuple[Corpus, Corpus]:
    """The clips to learn from and those to watch over learning with, in the order of their sources' names.

    Rows without a source, and those of `dev` whose source has no clip in `train`, have no label and are left out.

    Raises:
        TrainingError: fewer than two sources in `train`, or none of them in `dev`.
    """
    train, dev = _labelled(manifest, "train", task), _labelled(manifest, "dev", task)
    sources = tuple(sorted({str(row.source) for row in train}))
    if len(sources) < 2:
        raise TrainingError(
            f"{manifest.path}: the rows of split 'train' name {len(sources)} source(s) for the task {task!r}, and "
            "training needs two or more: add clips of another source, or check the columns 'split' and 'source'"
        )
    dev = [row for row in dev if row.source in sources]
    if not dev:
        raise TrainingError(
            f"{manifest.path}: no row of split 'dev' has a source of split 'train': move about a tenth of the clips "
            "of every source from 'train' to 'dev', to tell when to stop"
        )
    return _corpus(train, sources), _corpus(dev, sources)


def _labelled(manifest: Manifest, split: Split, task: Task) -> list[Row]:
    rows = (row for row in manifest.rows if row.split == split and row.source is not None)
    return [row for row in rows if row.task in (None, task)]


def _corpus(rows: Sequence[Row], sources: tuple[str, ...]) -> Corpus:
    return Corpus(tuple(rows), np.array([sources.index(str(row.source)) for row in rows], np.int64), sources)


def batches(
    corpus: Corpus, recipe: Recipe, share: float, rng: np.random.Generator
) -> Iterator[tuple[FloatArray, IntArray]]:
    """The batches of an epoch: features (B, frames, dims) and labels (B,).

    Clips are drawn by `Corpus.draw`, or by episodes, then one of a clip's versions, a window and a crop of `share` of
    its frames.
    """
    for _ in range(recipe.steps):
        drawn = corpus.draw_episode(recipe.batch, recipe.shots, rng) if recipe.shots else corpus.draw(recipe.batch, rng)
        yield np.stack([crop(corpus.clips[clip].draw(rng), share, rng) for clip in drawn]), corpus.labels[drawn]


def crop(window: NDArray[Any], share: float, rng: np.random.Generator) -> FloatArray:
    """(frames, dims) -> a stretch of `share` of its frames, somewhere in it, float32."""
    frames = min(len(window), max(1, round(share * len(window))))
    start = int(rng.integers(len(window) - frames + 1))
    return window[start : start + frames].astype(np.float32)
