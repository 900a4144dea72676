"""Baselines that hear no fingerprint: what length, level, silence, bandwidth, rate or container alone would answer.

A result that one of them nearly reaches is a result about the corpus, not about sources.
"""

from collections.abc import Callable, Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from earwitness.audio import read_clip
from earwitness.errors import AudioError
from earwitness.evaluation.progress import Progress, unwatched
from earwitness.manifest import Manifest, Row
from earwitness.quality import Gauge
from earwitness.types import Clip

__all__ = ["shortcut_accuracies", "shortcut_warning"]

Array = NDArray[np.float64]
NEIGHBOURS = 5
FRAME = 0.02  # seconds
CHUNK = 256
"""Clips compared with all training clips at a time."""
POINTS, SHARE = 0.1, 0.8
"""A baseline comes near a result within so much of it, or from such a share of it on: of a high accuracy the second is
the wider net, of a low one the first. A flag costs a look, a corpus taken for a source costs the result."""


def shortcut_accuracies(manifest: Manifest, split: str, progress: Progress = unwatched) -> dict[str, float]:
    """Accuracy on a split's clips of known sources, each baseline fitted on the manifest's `train` clips.

    `prior` answers the most frequent source; the others ask the 5 nearest training clips in their few measures, and
    all that are as near as the fifth. Empty where the manifest has no training clips.
    """
    train = [row for row in manifest.rows if row.split == "train" and row.source]
    known = {row.source for row in train}
    test = [row for row in manifest.rows if row.split == split and row.source in known]
    if not train or not test:
        return {}
    names, labels = np.unique([str(row.source) for row in train], return_inverse=True)
    truth = np.searchsorted(names, [str(row.source) for row in test])
    measured = _measures(progress((*train, *test), len(train) + len(test), "shortcuts"))
    answers = {name: _vote(found[: len(train)], labels, found[len(train) :]) for name, found in measured.items()}
    prior = np.full(len(test), np.bincount(labels).argmax())
    return {name: float((answer == truth).mean()) for name, answer in {"prior": prior, **answers}.items()}


def shortcut_warning(accuracy: float | None, shortcuts: Mapping[str, float]) -> str | None:
    """One sentence where baselines nearly reach the accuracy, the best of them first; None where none does."""
    if accuracy is None:
        return None
    floor = min(accuracy - POINTS, SHARE * accuracy)
    near = sorted((name for name, reached in shortcuts.items() if reached >= floor), key=lambda n: -shortcuts[n])
    if not near:
        return None
    told = ", ".join(f"{name} alone {shortcuts[name]:.2f}" for name in near)
    return f"accuracy {accuracy:.2f} is nearly reached without hearing a source ({told}): it may be about the corpus"


def _measures(rows: Iterable[Row]) -> dict[str, Array]:
    """Each baseline's measures of each clip, (n, m)."""
    found = [[measure(clip) for measure in MEASURES.values()] for clip in map(_read, rows)]
    return {name: np.array(column, np.float64) for name, column in zip(MEASURES, zip(*found, strict=True), strict=True)}


def _read(row: Row) -> Clip | None:
    try:
        return read_clip(row.path, start=row.start, end=row.end)
    except AudioError:
        return None


def _vote(seen: Array, labels: NDArray[np.int64], asked: Array) -> NDArray[np.int64]:
    """The most frequent source among the nearest training clips, measures standardised on them; (n, m) and (q, m)."""
    centre, width = seen.mean(axis=0), seen.std(axis=0) + 1e-9
    near, far = (seen - centre) / width, (asked - centre) / width
    votes = np.eye(labels.max() + 1, dtype=np.float32)[labels]  # (n, K)
    parts = [_nearest(near, far[at : at + CHUNK]) @ votes for at in range(0, len(far), CHUNK)]
    return np.asarray(np.concatenate(parts).argmax(axis=1))


def _nearest(seen: Array, asked: Array) -> NDArray[np.float32]:
    """1 for each training clip at most as far as the fifth nearest, (q, n); measures with few values tie often."""
    distances = sum(np.square(a[:, None] - s) for a, s in zip(asked.T, seen.T, strict=True))
    last = min(NEIGHBOURS, len(seen)) - 1
    return np.asarray(distances <= np.partition(distances, last, axis=1)[:, last, None], np.float32)


def _levels(clip: Clip) -> Array:
    """Root mean square of each 20-ms frame in dB."""
    frame = max(1, round(FRAME * clip.rate))
    whole = clip.samples[: max(1, len(clip.samples) // frame) * frame]
    frames = np.resize(whole, (max(1, len(whole) // frame), frame)).astype(np.float64)
    return np.asarray(10 * np.log10(np.mean(frames**2, axis=1) + 1e-12))


def _level(clip: Clip | None) -> list[float]:
    if clip is None:
        return [0.0, 0.0]
    return [float(np.abs(clip.samples).max()), float(10 * np.log10(np.mean(clip.samples**2.0) + 1e-12))]


def _duration(clip: Clip | None) -> list[float]:
    return [clip.origin.duration if clip else 0.0]


def _silence(clip: Clip | None) -> list[float]:
    """Silence before and after speech in seconds, its level, and the share of exact zeros."""
    if clip is None:
        return [0.0] * 4
    levels = _levels(clip)
    loud = np.flatnonzero(levels > levels.max() - 40)
    zeros = float(np.mean(clip.samples == 0))
    return [FRAME * loud[0], FRAME * (len(levels) - 1 - loud[-1]), float(np.quantile(levels, 0.05)), zeros]


def _bandwidth(clip: Clip | None) -> list[float]:
    """The highest frequency within 60 dB of the strongest, in Hz."""
    if clip is None:
        return [0.0]
    gauge = Gauge(clip.rate)
    gauge.hear(clip.samples)
    return [gauge.quality(lossless=True).bandwidth]


def _native_rate(clip: Clip | None) -> list[float]:
    return [clip.origin.native_rate if clip else 0.0]


def _container(clip: Clip | None) -> list[float]:
    """Channels, and container and codec as a number that is equal only for equal names."""
    if clip is None:
        return [0.0, 0.0]
    kind = int.from_bytes(f"{clip.origin.container} {clip.origin.codec}".encode(), "big") % 997
    return [clip.origin.channels, kind]


MEASURES: Mapping[str, Callable[[Clip | None], list[float]]] = {
    "duration": _duration,
    "level": _level,
    "silence": _silence,
    "bandwidth": _bandwidth,
    "native_rate": _native_rate,
    "container": _container,
}
