"""Embedders: features to one vector a window, whether or not they learn.

They get windows as the first pipeline of their own distribution that names them would give them, or without one, of 40
frames and 20 dims. So an embedder that can't do with any dims comes with a pipeline.
"""

import numpy as np

from earwitness.contracts import AnchorEmbedder, Embedder, FittedEmbedder
from earwitness.model import unit
from earwitness.testing.anchors import AnchorBench
from earwitness.testing.bench import TOLERANCE, Bench, Fed, expect, expect_finite
from earwitness.testing.fitted import FittedBench
from earwitness.testing.learned import LearnedBench
from earwitness.types import FloatArray

__all__ = ["RULES", "EmbedderBench", "bench_of"]


class EmbedderBench(Fed):
    """An embedder with nothing to learn."""

    def answer(self, batch: FloatArray) -> FloatArray:
        """(B, frames, dims) -> (B, d)."""
        vectors: FloatArray = self.part(batch)
        return vectors


def bench_of(embedder: object, shape: tuple[int, int]) -> Fed:
    """The bench for an embedder of any of the four kinds, with windows of (frames, dims)."""
    if isinstance(embedder, Embedder):
        return EmbedderBench(embedder, shape)
    if isinstance(embedder, AnchorEmbedder):
        return AnchorBench(embedder, shape)
    return FittedBench(embedder, shape) if isinstance(embedder, FittedEmbedder) else LearnedBench(embedder, shape)


def embeddings_have_one_length(bench: Bench) -> None:
    """Gives float32 vectors (B, d) of one length d, which the pipeline makes unit."""
    vectors = bench.answer(bench.batch)
    expect(vectors.dtype == np.float32, f"vectors are {vectors.dtype}, not float32")
    expect(vectors.ndim == 2 and len(vectors) == len(bench.batch), f"5 windows give vectors of shape {vectors.shape}")
    shapes = {bench.answer(row).shape for row in (bench.batch[:1], *bench.odd.values())}
    expect(shapes == {(1, vectors.shape[1])}, f"single windows give vectors of shapes {sorted(shapes)}")
    expect_finite(vectors, "lively features")
    norms = np.linalg.norm(unit(vectors), axis=1)
    expect(bool(np.allclose(norms, 1.0, atol=1e-5)), f"the pipeline makes them as long as {norms}")


def different_windows_differ(bench: Bench) -> None:
    """Gives different windows different vectors."""
    vectors = unit(bench.answer(bench.batch))
    apart = np.abs(vectors[:, None] - vectors[None]).max(axis=2) + np.eye(len(vectors))  # (B, B)
    expect(bool(apart.min() > TOLERANCE), "two different windows have the same vector")


RULES = (embeddings_have_one_length, different_windows_differ)
