"""Baselines that hear no fingerprint: what could be answered from length, level, silence or container alone.

A result that one of them nearly reaches is a result about the corpus, not about sources.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from earwitness.audio import read_clip
from earwitness.errors import AudioError
from earwitness.manifest import Manifest, Row
from earwitness.types import Clip

__all__ = ["shortcut_accuracies"]

Array = NDArray[np.float64]
NEIGHBOURS = 5
FRAME = 0.02  # seconds


def shortcut_accuracies(manifest: Manifest, split: str) -> dict[str, float]:
    """Accuracy on a split's clips of known sources, each baseline fitted on the manifest's `train` clips.

    `prior` answers the most frequent source; the others ask the 5 nearest training clips in their few measures.
    Empty where the manifest has no training clips.
    """
    train = [row for row in manifest.rows if row.split == "train" and row.source]
    known = {row.source for row in train}
    test = [row for row in manifest.rows if row.split == split and row.source in known]
    if not train or not test:
        return {}
    names, truth = np.array([row.source for row in train]), np.array([row.source for row in test])
    seen, asked = _measures(train), _measures(test)
    prior = Counter(names.tolist()).most_common(1)[0][0]
    nearest = {name: float((_vote(seen[name], names, asked[name]) == truth).mean()) for name in MEASURES}
    return {"prior": float((truth == prior).mean()), **nearest}


def _measures(rows: Sequence[Row]) -> dict[str, Array]:
    """Each baseline's measures of each clip, (n, m)."""
    clips = [_read(row) for row in rows]
    return {name: np.array([measure(clip) for clip in clips], np.float64) for name, measure in MEASURES.items()}


def _read(row: Row) -> Clip | None:
    try:
        return read_clip(row.path, start=row.start, end=row.end)
    except AudioError:
        return None


def _vote(seen: Array, names: NDArray[np.str_], asked: Array) -> NDArray[np.str_]:
    """The most frequent source among the nearest training clips, measures standardised on them; (n, m) and (q, m)."""
    centre, width = seen.mean(axis=0), seen.std(axis=0) + 1e-9
    distances = np.linalg.norm(((asked - centre) / width)[:, None] - ((seen - centre) / width)[None], axis=2)
    nearest = np.argsort(distances, axis=1, kind="stable")[:, :NEIGHBOURS]
    return np.array([Counter(names[row].tolist()).most_common(1)[0][0] for row in nearest])


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


def _container(clip: Clip | None) -> list[float]:
    """Rate, channels and the container and codec as numbers that are equal only for equal names."""
    if clip is None:
        return [0.0] * 3
    kind = int.from_bytes(f"{clip.origin.container} {clip.origin.codec}".encode(), "big") % 997
    return [clip.origin.native_rate, clip.origin.channels, kind]


MEASURES: Mapping[str, Callable[[Clip | None], list[float]]] = {
    "duration": _duration,
    "level": _level,
    "silence": _silence,
    "container": _container,
}
