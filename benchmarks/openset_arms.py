"""The arms of benchmarks/openset.py: who is enrolled, who is a stranger, and which clips set what.

Both yield folds. In a fold nothing that is tested was trained on, enrolled, or heard in development.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from openset_features import Heard, chain_of, hear
from rich.progress import track

from earwitness.contracts import FittedEmbedder
from earwitness.manifest import Manifest, Row
from earwitness.model import unit
from earwitness.pipeline import Pipeline
from earwitness.subset import Subset
from earwitness.training.closed_form import voices
from earwitness.types import FloatArray, IntArray

Mask = NDArray[np.bool_]

GROUPS = 10
"""Groups in which pages are left out: each on its own, with each other for development, would be 465 fits."""


@dataclass(frozen=True)
class Asked:
    """Clips put to a gallery: their windows (N, d), the clip of each (N,), its loudness in dB, and a row a clip."""

    gallery: Subset
    windows: FloatArray
    clips: IntArray
    loudness: FloatArray
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Fold:
    """One choice of strangers: K `sources`, what development heard, and what is tested, by condition."""

    name: str
    sources: tuple[str, ...]
    dev: tuple[Asked, ...]
    test: Mapping[str, Asked]


@dataclass(frozen=True)
class Space:
    """An embedder fitted to some windows, and where all windows fall in it."""

    pipeline: Pipeline
    train: Heard
    rows: tuple[Row, ...]
    cells: IntArray
    learned: Mask
    cache: Path

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """What the clips that were learned from were made by."""
        return tuple(sorted({self.rows[clip].source or "" for clip in np.flatnonzero(self.learned)}))

    @cached_property
    def state(self) -> Mapping[str, NDArray[Any]]:
        """What the embedder learned; kept on disk."""
        embedder, mine = self.pipeline.embedder, self.learned[self.train.clips]
        assert isinstance(embedder, FittedEmbedder)
        digest = hashlib.sha256(f"{self.train.key} {embedder}".encode() + self.learned.tobytes()).hexdigest()
        file = self.cache / f"{digest[:16]}.npz"
        if not file.exists():
            clips = self.train.clips[mine]
            np.savez(file, **embedder.fit(self.train.features[mine], self.labels[clips], self.cells[clips]))
        with np.load(file) as kept:
            return dict(kept)

    @cached_property
    def labels(self) -> IntArray:
        """Of each clip its place among the sources, -1 for others."""
        index = {source: k for k, source in enumerate(self.sources)}
        return np.array([index.get(row.source or "", -1) for row in self.rows], np.int64)

    def embed(self, features: FloatArray) -> FloatArray:
        """(N, 1, dims) -> (N, d), unit."""
        embedder = self.pipeline.embedder
        assert isinstance(embedder, FittedEmbedder)
        return unit(embedder.embed(self.state, features))

    @cached_property
    def gallery(self) -> Subset:
        """The clips learned from, as they are, enrolled."""
        mine = self.learned[self.train.clips] & (self.train.versions == 0)
        vectors, clips = self.embed(self.train.features[mine]), self.train.clips[mine]
        heads = np.zeros((len(self.sources), vectors.shape[1]), np.float32)
        return Subset(self.sources, heads, vectors, self.labels[clips], clips, self.cells[clips])

    def ask(self, heard: Heard, rows: Sequence[Row], chosen: Mask) -> Asked:
        """Some clips, as they are, put to the gallery."""
        mine = chosen[heard.clips] & (heard.versions == 0)
        places = np.cumsum(chosen) - 1
        return Asked(
            self.gallery,
            self.embed(heard.features[mine]),
            places[heard.clips[mine]],
            heard.loudness[mine],
            tuple(row for row, kept in zip(rows, chosen, strict=True) if kept),
        )


def engines(pipeline: Pipeline, manifest: Manifest, cache: Path, conditions: Sequence[str]) -> Iterator[Fold]:
    """Each engine left out of training and of the registry, and tested as a stranger among the others.

    Development strangers are the engines that are no kin of the one left out: all development clips are put to a
    registry without one of them, for each in turn. So known and strange clips of development face equally many sources.
    """
    train, dev, test = (manifest.select(split=split).rows for split in ("train", "dev", "test"))
    learned, held = hear(pipeline, train, pipeline.training.versions, cache), hear(pipeline, dev, [()], cache)
    asked = {name: hear(pipeline, test, [chain_of(name)], cache) for name in conditions}
    families = {row.source: row.columns["family"] for row in manifest.rows}
    for left in track(sorted(filter(None, families)), "engines"):
        space = Space(pipeline, learned, train, voices(train), _not_of(train, {left}), cache)
        others = [each for each in space.sources if families[each] != families[left]]
        heard_in_dev = tuple(
            replace(space, learned=_not_of(train, {left, each})).ask(held, dev, _not_of(dev, {left})) for each in others
        )
        tests = {name: space.ask(heard, test, np.ones(len(test), bool)) for name, heard in asked.items()}
        yield Fold(left, space.sources, heard_in_dev, tests)


def _not_of(rows: Sequence[Row], sources: set[str]) -> Mask:
    return np.array([row.source not in sources for row in rows])


def pages(pipeline: Pipeline, manifest: Manifest, cache: Path, conditions: Sequence[str]) -> Iterator[Fold]:
    """Each page left out of training and of the registry, a few others with it, and its clips tested.

    Known are the sources of two pages or more, learned from the other pages. Development hears each other group of
    pages, left out as well.
    """
    rows = manifest.rows
    heard = hear(pipeline, rows, pipeline.training.versions, cache)
    asked = {name: hear(pipeline, rows, [chain_of(name)], cache) for name in conditions}
    source = np.array([row.source or "" for row in rows])
    known = np.isin(source, repeated(rows))
    cells = np.unique([f"{row.source} {row.columns['corpus']}" for row in rows], return_inverse=True)[1]
    group, space = grouped(rows), Space(pipeline, heard, rows, cells, known, cache)
    for left in track(range(GROUPS), "pages"):
        kept = replace(space, learned=known & (group != left))
        dev = [
            rest.ask(heard, rows, (group == other) & (~known | np.isin(source, rest.sources)))
            for other in range(GROUPS)
            if other != left
            for rest in [replace(space, learned=kept.learned & (group != other))]
        ]
        tested = (group == left) & (~known | np.isin(source, kept.sources))
        tests = {name: kept.ask(each, rows, tested) for name, each in asked.items()}
        yield Fold(str(left), kept.sources, tuple(dev), tests)


def grouped(rows: Sequence[Row]) -> IntArray:
    """The group of each clip's page: even in clips, and no source of two pages has both in one group."""
    on: dict[str, set[str]] = {}
    for row in rows:
        on.setdefault(row.source or "", set()).add(row.columns["corpus"])
    pairs = [held for held in on.values() if len(held) == 2]
    sizes = Counter(row.columns["corpus"] for row in rows)
    groups: list[set[str]] = [set() for _ in range(GROUPS)]
    for page, _ in sizes.most_common():
        free = [each for each in groups if not any(pair <= each | {page} for pair in pairs)]
        min(free, key=lambda each: sum(sizes[p] for p in each)).add(page)
    return np.array([next(g for g, held in enumerate(groups) if row.columns["corpus"] in held) for row in rows])


def repeated(rows: Sequence[Row]) -> list[str]:
    """The sources that stand on two pages or more."""
    pairs = {(row.source or "", row.columns["corpus"]) for row in rows}
    names, counts = np.unique([source for source, _ in pairs], return_counts=True)
    return [str(name) for name in names[counts >= 2]]


def in_pool(row: Row) -> bool:
    """Which of two disjoint pools a stranger is of, by a hash of its family."""
    return hashlib.sha256(row.columns["family"].encode()).digest()[0] % 2 == 0
