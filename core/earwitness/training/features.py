"""Training clips as features: decoded once, degraded, cut and rendered just as answering does, kept on disk."""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from earwitness import __version__
from earwitness.audio import read_clip, resampled
from earwitness.errors import TrainingError
from earwitness.manifest import Row
from earwitness.parts import Settled, describe
from earwitness.pipeline import Chain, Pipeline
from earwitness.plugins import load_catalogue
from earwitness.types import Clip, FloatArray
from earwitness.windows import cut

__all__ = ["InTurn", "Rendered", "derive", "render", "write_array"]

SHARE = 32  # clips; for fewer, another process costs more than it saves


@dataclass(frozen=True, slots=True)
class Rendered:
    """One clip's features: a file (windows, frames, dims) float16 for each version."""

    files: tuple[Path, ...]

    def windows(self, version: int) -> FloatArray:
        """All windows of one version, (B, frames, dims)."""
        features: FloatArray = np.load(self.files[version]).astype(np.float32)
        return features

    def draw(self, rng: np.random.Generator) -> NDArray[np.float16]:
        """One window of one version, (frames, dims), left on disk until it is read."""
        features = np.load(self.files[rng.integers(len(self.files))], mmap_mode="r")
        window: NDArray[np.float16] = features[rng.integers(len(features))]
        return window


@dataclass(frozen=True, slots=True)
class InTurn:
    """All windows (B, frames, dims) of each clip in one of its versions, these in turn; read whenever gone through."""

    clips: tuple[Rendered, ...]

    def __iter__(self) -> Iterator[FloatArray]:
        """From the first clip to the last."""
        return (clip.windows(at % len(clip.files)) for at, clip in enumerate(self.clips))


def render(
    rows: Sequence[Row], versions: Sequence[Sequence[Chain]], pipeline: Pipeline, seed: int, cache: Path, quiet: bool
) -> tuple[Rendered, ...]:
    """Every row in its versions, as files under `cache`; what lies there already is not made again.

    Float16 halves the disk and costs 0.05 % of a feature, well under what a codec does to it.

    Raises:
        AudioError: a clip can't be heard.
        TrainingError: a clip is silent or too short.
    """
    cache.mkdir(parents=True, exist_ok=True)
    work = partial(_render_clip, pipeline=pipeline, seed=seed, cache=cache)
    processes = min(len(os.sched_getaffinity(0)), len(rows) // SHARE)
    pool = ProcessPoolExecutor(processes, get_context("spawn")) if processes > 1 else nullcontext()
    with pool as executor:
        done = executor.map(work, rows, versions, chunksize=4) if executor else map(work, rows, versions)
        return tuple(track(done, "features", len(rows), console=Console(stderr=True), disable=quiet))


def derive(clips: Sequence[Rendered], frontend: Settled, cache: Path, quiet: bool) -> tuple[Rendered, ...]:
    """What a fitted frontend makes of clips' frames, as files under `cache`; what lies there already is kept."""
    work = partial(_derive_clip, frontend=frontend, cache=cache)
    told = f"features by {frontend.part.name}"
    return tuple(track(map(work, clips), told, len(clips), console=Console(stderr=True), disable=quiet))


def _derive_clip(clip: Rendered, frontend: Settled, cache: Path) -> Rendered:
    files = []
    for version, frames in enumerate(clip.files):
        file = cache / f"{_digest(frames.stem, describe(frontend))}.npy"
        if not file.is_file():
            write_array(file, frontend.part.features(frontend.state, clip.windows(version)).astype(np.float16))
        files.append(file)
    return Rendered(tuple(files))


def _render_clip(row: Row, chains: Sequence[Chain], pipeline: Pipeline, seed: int, cache: Path) -> Rendered:
    clip = read_clip(row.path, None, row.start, row.end, load_catalogue().read_clip)
    clip = resampled(clip, pipeline.rate_at(clip.rate))
    files = []
    for version, chain in enumerate(chains):
        file = cache / f"{_key(clip, chain, version, pipeline, seed)}.npy"
        if not file.is_file():
            write_array(file, _features(clip, chain, version, pipeline, seed).astype(np.float16))
        files.append(file)
    return Rendered(tuple(files))


def _features(clip: Clip, chain: Chain, version: int, pipeline: Pipeline, seed: int) -> FloatArray:
    """(B, frames, dims) of one version; its chance hangs on seed, samples and version, never on the order of work."""
    rng = np.random.default_rng([seed, int(clip.origin.samples_sha256, 16), version])
    samples = clip.samples
    for degradation in chain:
        samples = degradation(samples, clip.rate, rng)
    windows = list(cut([samples], clip.rate, pipeline.window, pipeline.hop))
    if not windows:
        raise TrainingError(f"{clip.origin.path} is silent or too short to learn from: leave it out of the manifest")
    return np.concatenate([pipeline.frontend(group.samples, group.rate) for group in windows])


def _key(clip: Clip, chain: Chain, version: int, pipeline: Pipeline, seed: int) -> str:
    """Digest of all that decides the features; seed and version count only where there is chance."""
    return _digest(
        clip.origin.samples_sha256,
        (clip.rate, pipeline.window, pipeline.hop),
        describe(pipeline.frontend),
        [describe(degradation) for degradation in chain],
        (seed, version) if chain else None,
    )


def _digest(*parts: Any) -> str:
    return hashlib.sha256(json.dumps([__version__, *parts], sort_keys=True).encode()).hexdigest()


def write_array(file: Path, array: NDArray[np.floating]) -> None:
    """Write all of a file or nothing, whoever else is writing it too; it may be lost with the power, and made again."""
    draft = file.with_suffix(f".{os.getpid()}.tmp")
    with draft.open("wb") as stream:
        np.save(stream, array)
    draft.replace(file)
