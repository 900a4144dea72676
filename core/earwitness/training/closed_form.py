"""Embedders that are fitted in one go: all windows of all versions at once."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from safetensors.numpy import save
from sklearn.metrics import f1_score

from earwitness.contracts import Embedder, FittedEmbedder
from earwitness.manifest import Row
from earwitness.model import unit
from earwitness.training.data import Corpus
from earwitness.types import FloatArray, IntArray
from earwitness_registry.files import write_whole

__all__ = ["evaluate", "fit", "judge", "voices"]

Embed = Callable[[FloatArray], FloatArray]


def fit(embedder: FittedEmbedder, train: Corpus, dev: Corpus, out: Path) -> float:
    """Fit on `train`, write `weights.safetensors` to `out`; macro-F1 on dev, as `evaluate` has it."""
    features, clips = _windows(train)
    labels = train.labels[clips]
    state = embedder.fit(features, labels, voices(train.rows)[clips])
    write_whole(out / "weights.safetensors", save({key: np.ascontiguousarray(array) for key, array in state.items()}))
    embed = partial(embedder.embed, state)
    return evaluate(embed, _means(unit(embed(features)), labels), dev)


def judge(embedder: Embedder, train: Corpus, dev: Corpus) -> float:
    """Macro-F1 on dev, as `evaluate` has it, of an embedder that learns nothing."""
    found = [np.concatenate([embedder(clip.windows(v)) for v in range(len(clip.files))]) for clip in train.clips]
    labels = np.repeat(train.labels, [len(vectors) for vectors in found])
    return evaluate(embedder, _means(unit(np.concatenate(found)), labels), dev)


def voices(rows: Sequence[Row]) -> IntArray:
    """A number for each voice of each source, (clips,); a source whose rows name no voice has one."""
    names = [(str(row.source), row.voice or "") for row in rows]
    number = {name: index for index, name in enumerate(sorted(set(names)))}
    return np.array([number[name] for name in names], np.int64)


def evaluate(embed: Embed, means: FloatArray, corpus: Corpus) -> float:
    """Macro-F1 by the nearest of `means` (K, d) over every version of every clip, cosines averaged over its windows."""
    answers = [
        (unit(embed(clip.windows(version))) @ means.T).mean(axis=0).argmax()
        for clip in corpus.clips
        for version in range(len(clip.files))
    ]
    truth = np.repeat(corpus.labels, [len(clip.files) for clip in corpus.clips])
    return float(f1_score(truth, answers, labels=np.unique(truth), average="macro"))


def _windows(corpus: Corpus) -> tuple[FloatArray, IntArray]:
    """All windows of all versions (N, 1, dims), each the mean of its frames, and the clip of each (N,)."""
    found = [np.concatenate([_mean_frames(clip.windows(v)) for v in range(len(clip.files))]) for clip in corpus.clips]
    return np.concatenate(found), np.repeat(np.arange(len(found)), [len(windows) for windows in found])


def _mean_frames(features: FloatArray) -> FloatArray:
    """(B, frames, dims) -> (B, 1, dims)."""
    mean: FloatArray = features.mean(axis=1, keepdims=True, dtype=np.float64).astype(np.float32)
    return mean


def _means(rows: FloatArray, labels: IntArray) -> FloatArray:
    """Mean directions of rows (N, d) with the same label, in the order of the labels: (K, d)."""
    return unit(np.stack([rows[labels == label].mean(axis=0) for label in np.unique(labels)]))
