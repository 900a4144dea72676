"""Systems and vocoders on pages that training never saw: each page left out in turn, each expert alone and fused.

    python benchmarks/pages.py --voices VOICES --pipeline wild --baseline log-mel --out F.json [--versions 2] \
        [--network lfcc-resnet --folds 5 --work DIR]

VOICES is a folder with a manifest.csv whose `corpus` column is the page. Only labels met on two pages or more take
part. Embedders are fitted in closed form on the other pages' clips, cells being pages; scorers read the same clips;
experts are fused evenly (each one's values standardised over sources), so nothing is tuned. `--versions` uses so many
of the pipelines' training versions. A `--network` is trained on sources once for each group of pages, not of them,
and stands beside the others as baselines do; vocoders are read off the same embeddings. Intervals resample pages.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from page_networks import Networks, folds_of
from rich.progress import track

from earwitness.audio import read_clip
from earwitness.contracts import Embedder, FittedEmbedder
from earwitness.evaluation import metrics
from earwitness.evaluation.intervals import bootstrap
from earwitness.fusion import even
from earwitness.loading import load_experts, load_pipeline
from earwitness.manifest import Row, read_manifest
from earwitness.model import unit
from earwitness.pipeline import Pipeline
from earwitness.plugins import load_catalogue
from earwitness.subset import Subset
from earwitness.types import FloatArray, IntArray
from earwitness.windows import cut

ABSENT = np.nan
"""The value of a source that no page but the one left out has."""


def pooled_features(pipeline: Pipeline, row: Row, versions: int) -> Iterator[FloatArray]:
    """The clip in its versions: one row a window, (B, 1, d) each."""
    clip = read_clip(row.path)
    rate = pipeline.rate_at(clip.rate)
    samples = read_clip(row.path, rate).samples
    for number, chain in enumerate(pipeline.training.versions[:versions]):
        rng, heard = np.random.default_rng([number, row.line]), samples
        for degradation in chain:
            heard = degradation(heard, rate, rng)
        windows = cut([heard], rate, pipeline.window, pipeline.hop)
        yield np.concatenate([_one_row(pipeline, pipeline.frontend(w.samples, rate)) for w in windows])


def _one_row(pipeline: Pipeline, features: FloatArray) -> FloatArray:
    """(B, frames, dims) -> (B, 1, d): the mean, all that a fitted embedder reads, or the embedding itself."""
    embedder = pipeline.embedder
    if isinstance(embedder, Embedder):
        return embedder(features)[:, None]
    return np.asarray(features.mean(axis=1, keepdims=True))


@dataclass(frozen=True)
class Expert:
    """One pipeline's features of all clips: windows (N, 1, dims), the clip of each and its version.

    Where `networks` stand for the embedder, windows are in their order and say nothing else.
    """

    pipeline: Pipeline
    windows: FloatArray
    clips: IntArray
    versions: IntArray
    networks: Networks | None = None

    @classmethod
    def hear(cls, pipeline: Pipeline, rows: Sequence[Row], versions: int) -> "Expert":
        """Compute the features of every clip and version."""
        parts = [list(pooled_features(pipeline, row, versions)) for row in track(rows, pipeline.name)]
        sizes = [(clip, version, len(f)) for clip, fs in enumerate(parts) for version, f in enumerate(fs)]
        return cls(
            pipeline,
            np.concatenate([features for fs in parts for features in fs]),
            np.repeat([clip for clip, _, _ in sizes], [size for _, _, size in sizes]),
            np.repeat([version for _, version, _ in sizes], [size for _, _, size in sizes]),
        )

    @classmethod
    def of_networks(cls, networks: Networks) -> "Expert":
        """Networks instead of features and an embedder."""
        count = len(networks.clips)
        nothing = np.zeros((count, 1, 1), np.float32)
        return cls(networks.pipeline, nothing, networks.clips, np.zeros(count, np.int64), networks)

    def values(
        self, part: NDArray[np.bool_], page: NDArray[np.bool_], labels: IntArray, pages: IntArray, sources: int
    ) -> FloatArray:
        """Every clip's value for every source, (clips, K), learned from the clips of `part` that aren't of `page`."""
        mine = (part & ~page)[self.clips]
        owner, cell = labels[self.clips], (labels * (pages.max() + 1) + pages)[self.clips]
        clean = mine & (self.versions == 0)
        vectors = self.networks.vectors_without(page) if self.networks else self._embedded(mine, owner, cell)
        present = np.unique(owner[clean])
        gallery = Subset(
            tuple(map(str, present)),
            np.zeros((len(present), vectors.shape[1]), np.float32),
            vectors[clean],
            np.searchsorted(present, owner[clean]),
            self.clips[clean],
            cell[clean],
        )
        asked = self.versions == 0
        scorer = self.pipeline.scorer
        scores = scorer.score(scorer.fit(gallery), gallery, vectors[asked]).values
        counts = np.bincount(self.clips[asked])
        found = np.full((len(counts), sources), ABSENT)
        found[:, present] = np.stack([np.bincount(self.clips[asked], s) for s in scores.T], axis=1) / counts[:, None]
        return found

    def _embedded(self, mine: NDArray[np.bool_], owner: IntArray, cell: IntArray) -> FloatArray:
        embedder = self.pipeline.embedder
        if isinstance(embedder, FittedEmbedder):
            state = embedder.fit(self.windows[mine], owner[mine], cell[mine])
            return unit(embedder.embed(state, self.windows))
        return unit(self.windows[:, 0])


@dataclass(frozen=True)
class Task:
    """Naming one column of the manifest: clips whose label stands on two pages or more."""

    column: str
    labels: NDArray[np.str_]
    pages: NDArray[np.str_]

    @property
    def names(self) -> NDArray[np.str_]:
        """The labels that take part."""
        pairs = {(label, page) for label, page in zip(self.labels, self.pages, strict=True) if label}
        names, counts = np.unique([label for label, _ in pairs], return_counts=True)
        return np.asarray(names[counts >= 2])

    @classmethod
    def of(cls, rows: Sequence[Row], column: str) -> "Task":
        """The labels that a column gives."""
        return cls(column, *(np.array([row.columns[each] for row in rows]) for each in (column, "corpus")))

    @property
    def part(self) -> NDArray[np.bool_]:
        """Which clips take part, (clips,)."""
        return np.isin(self.labels, self.names)

    def folds(self, count: int) -> IntArray:
        """Pages in groups of about as many clips that take part, (clips,)."""
        return folds_of(np.unique(self.pages, return_inverse=True)[1], self.part, count)

    def left_out(self, experts: Sequence[Expert]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Values (clips, E, K) of every clip by what the other pages taught; and which clips take part."""
        part = self.part
        labels = np.searchsorted(self.names, np.where(part, self.labels, self.names[0]))
        pages = np.unique(self.pages, return_inverse=True)[1]
        values = np.full((len(labels), len(experts), len(self.names)), np.nan)
        for page in track(np.unique(pages[part]), f"pages, {self.column}"):
            here = part & (pages == page)
            for at, expert in enumerate(experts):
                found = expert.values(part, pages == page, labels, pages, len(self.names))
                values[here, at] = found[here]
        return values, part

    def figures(self, values: NDArray[np.float64], part: NDArray[np.bool_]) -> dict[str, Any]:
        """Macro-F1 with its interval over pages, and how often the truth is among the first three."""
        fused = np.where(np.isnan(values[:, 0]), -np.inf, even(values))[part]
        order = np.argsort(-fused, axis=1)
        truth, pages = self.labels[part], self.pages[part]
        answers = self.names[order[:, 0]]
        interval = bootstrap(lambda rows: metrics.macro_f1(truth[rows], answers[rows]), [pages], count=500)
        return {
            "classes": len(self.names),
            "clips": len(truth),
            "macro_f1": metrics.macro_f1(truth, answers),
            "interval": interval,
            "top3": float((self.names[order[:, :3]] == truth[:, None]).any(axis=1).mean()),
            "recall": {name: float((answers == name)[truth == name].mean()) for name in self.names},
        }


def panels(names: Sequence[str], baselines: int) -> Mapping[str, tuple[int, ...]]:
    """Each expert alone, all of them, and all but one; baselines come last and only alone."""
    count = len(names) - baselines
    whole = tuple(range(count))
    chosen: list[tuple[int, ...]] = [(at,) for at in range(len(names))]
    if count > 1:
        chosen += [whole, *combinations(whole, count - 1)]
    return {"+".join(names[at] for at in each): each for each in chosen}


def main(
    voices: Annotated[Path, typer.Option(help="Folder with manifest.csv.")],
    out: Annotated[Path, typer.Option(help="JSON to write.")],
    pipeline: Annotated[str, typer.Option(help="The pipeline whose experts are fused.")] = "wild",
    baseline: Annotated[list[str] | None, typer.Option(help="Pipeline beside them; may be repeated.")] = None,
    versions: Annotated[int, typer.Option(help="Training versions used of each clip.")] = 1,
    network: Annotated[list[str] | None, typer.Option(help="Learned pipeline beside them; may be repeated.")] = None,
    folds: Annotated[int, typer.Option(help="Groups of pages, each left out of a network's training at once.")] = 5,
    work: Annotated[Path, typer.Option(help="Where networks go and are found again.")] = Path("networks"),
) -> None:
    """Measure and write the figures."""
    catalogue = load_catalogue()
    manifest = read_manifest(voices / "manifest.csv")
    chosen = list(load_experts(pipeline, catalogue))
    chosen += [each for name in baseline or () for each in load_experts(name, catalogue)]
    experts = [Expert.hear(each, manifest.rows, versions) for each in chosen]
    tasks = [Task.of(manifest.rows, column) for column in ("source", "vocoder")]
    for name in network or ():
        learned = load_pipeline(name, catalogue)
        learned = replace(learned, training=replace(learned.training, versions=learned.training.versions[:versions]))
        experts.append(Expert.of_networks(Networks.hear(learned, manifest, tasks[0].part, tasks[0].folds(folds), work)))
    results: dict[str, Any] = {}
    for task in tasks:
        column = task.column
        values, part = task.left_out(experts)
        names = [expert.pipeline.name for expert in experts]
        results[column] = {
            name: task.figures(values[:, list(kept)], part)
            for name, kept in panels(names, len(baseline or ()) + len(network or ())).items()
        }
        out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        for name, found in results[column].items():
            low, high = found["interval"]
            typer.echo(f"{column} {name}: {found['macro_f1']:.3f} [{low:.2f} {high:.2f}] top-3 {found['top3']:.2f}")


if __name__ == "__main__":
    typer.run(main)
