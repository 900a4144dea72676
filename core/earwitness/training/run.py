"""One training: render the clips, settle the frontend, fit the embedder, and tell how well it learned."""

import hashlib
import json
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from safetensors.numpy import save

from earwitness.contracts import AnchorEmbedder, Embedder, FittedEmbedder, FittedFrontend, LearnedEmbedder
from earwitness.manifest import Manifest
from earwitness.model import FRONTEND, settled
from earwitness.network import Device
from earwitness.pipeline import Chain, Pipeline
from earwitness.training.card import Lesson
from earwitness.training.data import Corpus, gather
from earwitness.training.features import InTurn, derive, render
from earwitness.training.start import Start
from earwitness_registry.files import write_whole

if TYPE_CHECKING:
    from earwitness.training.checkpoint import Progress
    from earwitness.training.learner import Learner

__all__ = ["CHECKPOINT", "Run"]

CHECKPOINT = "checkpoint.safetensors"


@dataclass(frozen=True, slots=True)
class Run:
    """What is to be learned of which clips, into which folder, and how; fields as `train` takes them."""

    pipeline: Pipeline
    manifest: Manifest
    out: Path
    seed: int
    device: Device
    cache: Path
    quiet: bool
    start: Start | None

    @property
    def digest(self) -> str:
        """What a checkpoint must share with a run to be gone on with."""
        recipe = [self.pipeline.to_dict(), [dict(row.columns) for row in self.manifest.rows], self.seed]
        recipe += [[self.start.space, self.start.sources]] if self.start else []
        return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()

    def learn(self) -> Lesson:
        """Render, learn, write what was learned; what the card tells of it comes back."""
        train, dev = self._rendered()
        began = perf_counter()
        if isinstance(self.pipeline.frontend, FittedFrontend):
            train, dev = self._settled(self.pipeline.frontend, train, dev)
        if isinstance(self.pipeline.embedder, LearnedEmbedder):
            return self._descend(self.pipeline.embedder, train, dev)
        figure, judged = self._close(self.pipeline.embedder, train, dev)
        return Lesson(train.counts, dev.counts, self.seed, "cpu", figure, judged, perf_counter() - began)

    def _rendered(self) -> tuple[Corpus, Corpus]:
        """The clips to learn from in all versions, and those to watch over it with in two."""
        train, dev = gather(self.manifest, self.pipeline.task)
        versions = self.pipeline.training.versions
        train = self._render(train, [versions] * len(train.rows))
        return train, self._render(dev, _watched(len(dev.rows), versions))

    def _render(self, corpus: Corpus, versions: Sequence[Sequence[Chain]]) -> Corpus:
        """A corpus with each clip's features in its versions."""
        return replace(corpus, clips=render(corpus.rows, versions, self.pipeline, self.seed, self.cache, self.quiet))

    def _settled(self, frontend: FittedFrontend, train: Corpus, dev: Corpus) -> tuple[Corpus, Corpus]:
        """Write what the frontend knows; both corpora with its features for frames."""
        write_whole(self.out / FRONTEND, self._known(frontend, train))
        fitted = settled(frontend, self.out / FRONTEND)
        train, dev = (replace(each, clips=derive(each.clips, fitted, self.cache, self.quiet)) for each in (train, dev))
        return train, dev

    def _known(self, frontend: FittedFrontend, train: Corpus) -> bytes:
        """What a frontend learned for the model begun with, or else learns of `train`, as safetensors."""
        if self.start:
            return (self.start.folder / FRONTEND).read_bytes()
        with self._status(f"fitting {frontend.name}"):
            state = frontend.fit(InTurn(train.clips))
        return save({key: np.ascontiguousarray(array) for key, array in state.items()})

    def _close(
        self, embedder: Embedder | FittedEmbedder | AnchorEmbedder, train: Corpus, dev: Corpus
    ) -> tuple[float, str]:
        """Macro-F1 on dev of an embedder without a network, fitted and written if it learns, and what answered."""
        from earwitness.training.anchors import fit_anchors
        from earwitness.training.closed_form import fit, judge

        if isinstance(embedder, AnchorEmbedder):
            with self._status(f"fitting {embedder.name}"):
                return fit_anchors(embedder, train, dev, self.out), "by the class that fits best"
        nearest = "by the nearest mean embedding"
        if isinstance(embedder, FittedEmbedder):
            return fit(embedder, train, dev, self.out), nearest
        return judge(embedder, train, dev), nearest

    def _descend(self, embedder: LearnedEmbedder, train: Corpus, dev: Corpus) -> Lesson:
        """Fit the network epoch by epoch, and write weights and network."""
        from earwitness.training.export import export
        from earwitness.training.loop import fit

        assert self.pipeline.window != "clip"
        _, frames, dims = train.clips[0].windows(0).shape
        recipe, shape = self.pipeline.training, (frames, dims)
        learner = self._learner(embedder, shape, train.sources)
        share = recipe.crop / self.pipeline.window
        progress = fit(learner, recipe, share, train, dev, self.out / CHECKPOINT, self.digest, self.quiet)
        export(learner.model, progress.best, train.sources, shape, self.out)
        return self._told(progress, train, dev)

    def _learner(self, embedder: LearnedEmbedder, shape: tuple[int, int], sources: tuple[str, ...]) -> "Learner":
        """The network with its head, with the weights that it begins with."""
        from earwitness.training.learner import Learner

        learner = Learner(embedder, self.pipeline.training, shape, len(sources), self.seed, self.device)
        if self.start:
            self.start.give(learner.model, sources)
        return learner

    def _told(self, progress: "Progress", train: Corpus, dev: Corpus) -> Lesson:
        """What the card tells of a network."""
        best, seconds = progress.best_epoch, progress.seconds
        judged = f"by the head it learned under, in epoch {best + 1} of {progress.epochs}"
        begun = f"{self.start.folder.name}, space {self.start.space}" if self.start else None
        figure = progress.figures[best]
        return Lesson(train.counts, dev.counts, self.seed, self.device, figure, judged, seconds, begun)

    def _status(self, what: str) -> AbstractContextManager[object]:
        """Says what goes on while it does, unless it is to be quiet."""
        return nullcontext() if self.quiet else Console(stderr=True).status(what)


def _watched(clips: int, versions: Sequence[Chain]) -> list[tuple[Chain, ...]]:
    """Each clip as it is and in one degraded version, all of these in turn."""
    degraded = [chain for chain in versions if chain]
    return [((), degraded[clip % len(degraded)]) if degraded else ((),) for clip in range(clips)]
