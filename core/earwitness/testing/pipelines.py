"""Pipelines: windows through frontend, embedder and scorer, by name."""

from contextlib import suppress

import numpy as np

from earwitness.contracts import AnchorEmbedder, Embedder, FittedEmbedder, ScorerPanel
from earwitness.loading import load_experts
from earwitness.model import unit
from earwitness.pipeline import TYPICAL_RATE, Pipeline
from earwitness.subset import Subset
from earwitness.testing.bench import Offer, expect, expect_finite
from earwitness.testing.fitted_frontends import ready
from earwitness.testing.learned import LearnedBench, by_torch
from earwitness.testing.made import SHAPE, windows
from earwitness.types import FloatArray

__all__ = ["FIRST", "RULES", "shape_for"]

SOURCES, ROWS = 2, 4


def names_known_parts(offer: Offer) -> None:
    """Can be read: names only installed parts, with parameters that they have."""
    expect(len(load_experts(offer.name, offer.catalogue)) > 0, "it has no expert")


def comes_back_from_its_own_yaml(offer: Offer) -> None:
    """Comes back equal from the YAML that a model's folder keeps."""
    for expert in load_experts(offer.name, offer.catalogue):
        expect(Pipeline.from_yaml(expert.to_yaml(), offer.catalogue) == expert, f"{expert.name} comes back another")


def runs(offer: Offer) -> None:
    """Runs: windows give features, unit embeddings of one length, and finite scores for what was enrolled."""
    for expert in load_experts(offer.name, offer.catalogue):
        embeddings = _embeddings(expert)
        labels = np.arange(len(embeddings)) % SOURCES
        heads = np.zeros((SOURCES, embeddings.shape[1]), np.float32)
        clips = np.arange(len(embeddings))
        gallery = Subset(("one", "other"), heads, embeddings, labels, clips, labels)
        for rule in expert.scorer.scorers if isinstance(expert.scorer, ScorerPanel) else (expert.scorer,):
            scores = rule.score(rule.fit(gallery), gallery, embeddings)
            expect_finite(scores.values, f"scores of {expert.name} by {rule.name}")


def _embeddings(expert: Pipeline) -> FloatArray:
    """Made-up windows of a pipeline's own length, embedded, (B, d)."""
    rate = expert.rate_at(TYPICAL_RATE)
    batch = windows(SOURCES * ROWS, expert.length / rate, rate)
    features = ready(expert.frontend, batch, rate)(batch, rate)
    expect_finite(features, f"features of {expert.name}")
    return unit(_vectors(expert.embedder, features))


def _vectors(embedder: object, features: FloatArray) -> FloatArray:
    """(B, frames, dims) -> (B, d), by an embedder that has learned from these very windows, or not at all."""
    if isinstance(embedder, Embedder):
        return embedder(features)
    labels = np.arange(len(features)) % SOURCES
    if isinstance(embedder, AnchorEmbedder):
        return embedder.embed(embedder.fit_frames(features[:, None], labels), features)
    if isinstance(embedder, FittedEmbedder):
        return embedder.embed(embedder.fit(features, labels, labels), features)
    return by_torch(LearnedBench(embedder, features.shape[1:]).fresh(), features)


def shape_for(embedder: Offer) -> tuple[int, int]:
    """The (frames, dims) of a second of sound in a pipeline of its distribution that names this embedder, if one does.

    A network over the waveform can do nothing with cepstra.
    """
    for name in embedder.pipelines:
        with suppress(Exception):  # a pipeline that fails is told of by its own checks
            for expert in load_experts(name, embedder.catalogue):
                if expert.embedder.name == embedder.name:
                    rate = expert.rate_at(TYPICAL_RATE)
                    second = windows(1, 1.0, rate)
                    _, frames, dims = ready(expert.frontend, second, rate)(second, rate).shape
                    return frames, dims
    return SHAPE


FIRST = (names_known_parts,)
"""Of a pipeline that can't be read, nothing else can be asked."""

RULES = (*FIRST, comes_back_from_its_own_yaml, runs)
