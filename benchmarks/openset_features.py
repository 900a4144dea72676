"""Pooled features of a manifest's clips, computed once and kept: what every arm of benchmarks/openset.py reads."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import track

from earwitness.audio import read_clip, resampled
from earwitness.contracts import Degradation
from earwitness.manifest import Row
from earwitness.parts import describe
from earwitness.pipeline import Pipeline
from earwitness.plugins import load_catalogue
from earwitness.types import Clip, FloatArray, IntArray
from earwitness.windows import cut

CODECS: Mapping[str, tuple[str, float] | None] = {
    "clean": None,
    "mp3 64k": ("mp3", 64.0),
    "aac 64k": ("aac", 64.0),
    "opus 16k": ("opus", 16.0),
    "amr 12.2k": ("amr", 12.2),
}
"""Conditions that test clips are heard in: a codec and its kbit/s."""
QUIET = 1e-12
"""Added to a window's power before the logarithm."""


@dataclass(frozen=True)
class Heard:
    """N windows of some clips: `features` (N, 1, dims), the `clips` and `versions` they are of, `loudness` in dB.

    `key` is a digest of all that decides them.
    """

    key: str
    features: FloatArray
    clips: IntArray
    versions: IntArray
    loudness: FloatArray


def chain_of(condition: str) -> tuple[Degradation, ...]:
    """What a condition does to a clip."""
    codec = CODECS[condition]
    if codec is None:
        return ()
    name, bitrate = codec
    return (load_catalogue().get("degradation", "codec")(codec=name, bitrates=(bitrate,)),)


def hear(pipeline: Pipeline, rows: Sequence[Row], chains: Sequence[Sequence[Degradation]], cache: Path) -> Heard:
    """Every row in every version that a chain makes of it; read from the cache where it is there."""
    cache.mkdir(parents=True, exist_ok=True)
    key = _key(pipeline, rows, chains)
    file = cache / f"{key}.npz"
    if not file.exists():
        windows = [_windows(pipeline, row, chains) for row in track(rows, pipeline.name)]
        counts = [(clip, version, len(f)) for clip, each in enumerate(windows) for version, (f, _) in enumerate(each)]
        clips, versions, sizes = np.array(counts).T
        np.savez(
            file,
            features=np.concatenate([f for each in windows for f, _ in each]),
            clips=np.repeat(clips, sizes),
            versions=np.repeat(versions, sizes),
            loudness=np.concatenate([level for each in windows for _, level in each]),
        )
    with np.load(file) as kept:
        return Heard(key, *(kept[name] for name in ("features", "clips", "versions", "loudness")))


def _windows(
    pipeline: Pipeline, row: Row, chains: Sequence[Sequence[Degradation]]
) -> list[tuple[FloatArray, FloatArray]]:
    """Features (B, 1, dims) and loudness (B,) of a clip's windows, for each chain."""
    clip = read_clip(row.path)
    clip = resampled(clip, pipeline.rate_at(clip.rate))
    return [_version(pipeline, clip, chain, [number, row.line]) for number, chain in enumerate(chains)]


def _version(
    pipeline: Pipeline, clip: Clip, chain: Sequence[Degradation], seed: list[int]
) -> tuple[FloatArray, FloatArray]:
    samples, rng = clip.samples, np.random.default_rng(seed)
    for degradation in chain:
        samples = degradation(samples, clip.rate, rng)
    batches = list(cut([samples], clip.rate, pipeline.window, pipeline.hop))
    features = [pipeline.frontend(each.samples, clip.rate).mean(axis=1, keepdims=True) for each in batches]
    return np.concatenate(features), np.array(list(_loudness(samples, clip.rate, pipeline, batches)), np.float32)


def _loudness(samples: FloatArray, rate: int, pipeline: Pipeline, batches: Sequence[Any]) -> Iterator[float]:
    """The power of each window before it was levelled, in dB."""
    size = round(pipeline.window * rate) if pipeline.window != "clip" else len(samples)
    for batch in batches:
        for start in batch.starts:
            begin = round(float(start) * rate)
            yield 10 * np.log10(np.square(samples[begin : begin + size]).mean() + QUIET)


def _key(pipeline: Pipeline, rows: Sequence[Row], chains: Sequence[Sequence[Degradation]]) -> str:
    parts = [
        describe(pipeline.frontend),
        [pipeline.rate, pipeline.window, pipeline.hop],
        [[describe(each) for each in chain] for chain in chains],
        [(str(row.path), row.line) for row in rows],
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
