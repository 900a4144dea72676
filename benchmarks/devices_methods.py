"""What benchmarks/devices.py compares: an ear that makes rows of windows, and a rule that is enrolled on such rows."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from devices_clips import RATE
from rich.progress import track

from earwitness.audio import read_clip
from earwitness.contracts import Scorer
from earwitness.manifest import Row
from earwitness.model import Model
from earwitness.plugins import load_catalogue
from earwitness.subset import Subset
from earwitness.types import FloatArray, Scores
from earwitness.windows import cut

Answerer = Callable[[FloatArray], Scores]
"""Rows (B, d) to values (B, K) and knownness (B,)."""
Rule = Callable[[Subset], Answerer]
"""Rows enrolled to what answers by them."""
Change = Callable[[FloatArray, int], FloatArray]
"""What is done to a sound (n,), by its number among the sounds."""
RULES = ("max_logit", "knn", "mahalanobis", "plda", "cell_lda", "softmax")
"""The scorers asked of every model; `max_logit` is the cosine to the nearest source's mean."""


class Ear(Protocol):
    """Sound to rows."""

    def __call__(self, samples: FloatArray) -> FloatArray:
        """(n,) at RATE -> (B, d), a row a window; none where all is silent."""
        ...


@dataclass(frozen=True)
class Method:
    """A way to name devices; those with one `ear` share what it hears."""

    name: str
    ear: Ear
    rule: Rule


@dataclass(frozen=True, eq=False)
class ModelEar:
    """Windows as a model embeds them."""

    model: Model

    def __call__(self, samples: FloatArray) -> FloatArray:
        """(n,) -> (B, d), unit."""
        pipeline = self.model.pipeline
        found = [self.model.embed(self.model.features(w)) for w in cut([samples], RATE, pipeline.window, pipeline.hop)]
        return np.concatenate(found) if found else np.empty((0, 0), np.float32)


def scorer_rule(scorer: Scorer) -> Rule:
    """One of the engine's scorers."""

    def enrol(gallery: Subset) -> Answerer:
        state = scorer.fit(gallery)
        return lambda rows: scorer.score(state, gallery, rows)

    return enrol


def model_methods(folder: Path, rules: Sequence[str] = RULES) -> list[Method]:
    """A pretrained model with each of the scorers."""
    catalogue = load_catalogue()
    ear = ModelEar(Model.load(folder, catalogue))
    return [Method(f"{folder.name}, {name}", ear, scorer_rule(catalogue.get("scorer", name)())) for name in rules]


def gallery(rows: Sequence[FloatArray], devices: Sequence[str]) -> Subset:
    """The rows (B, d) of each clip, enrolled for its device; a clip is a cell of its own."""
    sources = tuple(sorted(set(devices)))
    clips = np.repeat(np.arange(len(rows)), [len(each) for each in rows])
    labels = np.array([sources.index(device) for device in devices], np.int64)[clips]
    embeddings = np.concatenate([each for each in rows if len(each)])
    heads = np.zeros((len(sources), embeddings.shape[1]), np.float32)
    return Subset(sources, heads, embeddings, labels, clips, clips)


def unchanged(samples: FloatArray, number: int) -> FloatArray:  # noqa: ARG001
    """The sound as it is."""
    return samples


def heard(ears: Iterable[Ear], rows: Sequence[Row], change: Change, title: str) -> dict[Ear, list[FloatArray]]:
    """The rows (B, d) of every clip for each ear; each is decoded once."""
    found: dict[Ear, list[FloatArray]] = {ear: [] for ear in ears}
    for number, row in enumerate(track(rows, title)):
        samples = change(read_clip(row.path, RATE).samples, number)
        for ear, clips in found.items():
            clips.append(ear(samples))
    return found


def pooled(answer: Answerer, clips: Iterable[FloatArray]) -> Scores:
    """Means over the windows of each clip, asked together: values (n, K) and knownness (n,)."""
    rows = list(clips)
    scores = answer(np.concatenate(rows))
    starts = np.cumsum([0, *(len(each) for each in rows[:-1])])
    counts = np.array([len(each) for each in rows])
    return Scores(
        np.add.reduceat(scores.values, starts, axis=0) / counts[:, None],
        np.add.reduceat(scores.knownness, starts) / counts,
    )
