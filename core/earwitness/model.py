"""A model: a pipeline with what it has learned, as a folder.

pipeline.yaml       the recipe, every parameter spelt out
weights.safetensors what was learned, to go on learning from
network.onnx        the same, to answer with
head.safetensors    the directions that training found for its sources, for scorers that take them
card.md             data, figures, seed, versions

An embedder that is fitted answers by NumPy from weights.safetensors, and has no network.onnx; of those, only anchors
have a head, the axes of their classes. One with nothing to learn has none of the three. What a fitted frontend learned
is in frontend.safetensors.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file

from earwitness.contracts import AnchorEmbedder, Embedder, FittedEmbedder, FittedFrontend
from earwitness.errors import PipelineError, ProbeError
from earwitness.network import Device, OnnxNetwork
from earwitness.parts import Settled, describe
from earwitness.pipeline import TYPICAL_RATE, Pipeline
from earwitness.plugins import Catalogue
from earwitness.types import FloatArray, State, Windows

if TYPE_CHECKING:
    from earwitness_registry import Registry

__all__ = ["FRONTEND", "Model", "model_folders", "settled", "space_digest", "unit"]

FRONTEND = "frontend.safetensors"
PROBE_COSINE = 0.9999


def model_folders(folder: Path) -> tuple[Path, ...]:
    """The model in a folder, or the models of experts in its subfolders, by name; PipelineError when there is none."""
    found = sorted(file.parent for file in folder.glob("*/pipeline.yaml"))
    if (folder / "pipeline.yaml").is_file():
        return (folder,)
    if not found:
        raise PipelineError(f"{folder} is not a model: it has no pipeline.yaml; make one with 'earwitness train'")
    return tuple(found)


def unit(vectors: FloatArray) -> FloatArray:
    """(B, d) scaled to length one; a zero or non-finite row becomes the constant unit vector."""
    clean = np.nan_to_num(vectors.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    norms = np.linalg.norm(clean, axis=1, keepdims=True)
    clean = np.where(norms > 1e-12, clean / np.maximum(norms, 1e-12), clean.shape[1] ** -0.5)
    return np.asarray(clean, np.float32)


def space_digest(pipeline: Pipeline, weights: Path | None) -> str:
    """Digest of all that decides where an embedding falls: rate, window, frontend, embedder and weights.

    The scorer and the head that it may take have no part in it: changing a scorer needs no re-embedding. A fitted
    frontend comes settled.
    """
    recipe = [pipeline.rate, pipeline.window, describe(pipeline.frontend), describe(pipeline.embedder)]
    digest = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode())
    if weights is not None:
        digest.update(weights.read_bytes())
    return digest.hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Model:
    """A pipeline ready to answer; `space` names the space its embeddings live in.

    `heads` are the unit directions (d,) that a network or anchors learned for the sources they were trained on.
    """

    pipeline: Pipeline
    space: str
    embedder: Callable[[FloatArray], FloatArray]
    heads: Mapping[str, FloatArray] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: Path, catalogue: Catalogue, device: Device = "cpu") -> Self:
        """Read a model folder; PipelineError when it is not one."""
        file = folder / "pipeline.yaml"
        if not file.is_file():
            raise PipelineError(f"{folder} is not a model: it has no pipeline.yaml; make one with 'earwitness train'")
        pipeline = Pipeline.from_yaml(file.read_text(encoding="utf-8"), catalogue)
        if isinstance(pipeline.frontend, FittedFrontend):
            pipeline = replace(pipeline, frontend=settled(pipeline.frontend, folder / FRONTEND))
        embedder = pipeline.embedder
        if isinstance(embedder, Embedder):
            return cls(pipeline, space_digest(pipeline, None), embedder)
        weights = _present(folder / "weights.safetensors")
        space = space_digest(pipeline, weights)
        if isinstance(embedder, FittedEmbedder | AnchorEmbedder):
            answers: Callable[[FloatArray], FloatArray] = partial(embedder.embed, _read_state(weights))
        else:
            answers = OnnxNetwork(folder / "network.onnx", device)
        return cls(pipeline, space, answers, _read_heads(folder / "head.safetensors"))

    def add_to(self, registry: "Registry", folder: Path) -> None:
        """Copy it, as it was read from `folder`, into a registry; RegistryError where that can't take it."""
        pipeline = self.pipeline
        registry.add_model(
            folder,
            name=pipeline.name,
            task=pipeline.task,
            space=self.space,
            pipeline=pipeline.to_yaml(),
            probe=self.probe(),
        )

    def features(self, windows: Windows) -> FloatArray:
        """Windows to (B, frames, dims)."""
        return self.pipeline.frontend(windows.samples, windows.rate)

    def embed(self, features: FloatArray) -> FloatArray:
        """(B, frames, dims) -> (B, d), unit and finite."""
        return unit(self.embedder(features))

    def probe(self) -> FloatArray:
        """(d,): the embedding of one made-up window, by which a changed library or machine is caught."""
        rng = np.random.default_rng(0)
        rate = self.pipeline.rate_at(TYPICAL_RATE)
        time = np.arange(self.pipeline.length) / rate
        buzz = sum(np.sin(2 * np.pi * 120 * k * time) / k for k in range(1, 20))
        samples = (buzz * (1 + np.sin(2 * np.pi * 3 * time)) + 0.1 * rng.standard_normal(len(time))).astype(np.float32)
        samples = (samples - samples.mean()) / samples.std()
        windows = Windows(samples[None], np.zeros(1, np.float32), rate)
        vector: FloatArray = self.embed(self.features(windows))[0]
        return vector

    def check(self, stored: FloatArray) -> None:
        """Compare the probe with the one stored when the registry was filled; ProbeError when they differ."""
        probe = self.probe()
        cosine = float(probe @ stored) if stored.shape == probe.shape else 0.0
        if cosine < PROBE_COSINE:
            raise ProbeError(
                f"model {self.pipeline.name!r} computes other embeddings than when this registry was filled "
                f"(probe cosine {cosine:.4f}): a library or plugin changed; enrol the clips again into a new registry"
            )


def settled(frontend: FittedFrontend, file: Path) -> Settled:
    """A fitted frontend with what a file of a model's folder keeps of it; PipelineError where that can't be read."""
    digest = hashlib.sha256(_present(file).read_bytes()).hexdigest()
    return Settled(frontend, digest, _read_state(file))


def _present(file: Path) -> Path:
    if not file.is_file():
        raise PipelineError(f"{file} is missing: train the model again, or copy its folder whole")
    return file


def _read_state(weights: Path) -> State:
    try:
        return load_file(weights)
    except SafetensorError as error:
        raise _damaged(weights, error) from error


def _read_heads(file: Path) -> dict[str, FloatArray]:
    """The directions (d,) by source; none where training left no head."""
    if not file.is_file():
        return {}
    try:
        with safe_open(file, "np") as opened:
            sources = json.loads((opened.metadata() or {})["sources"])
            return dict(zip(sources, opened.get_tensor("directions"), strict=True))
    except (SafetensorError, KeyError, ValueError) as error:
        raise _damaged(file, error) from error


def _damaged(file: Path, error: Exception) -> PipelineError:
    return PipelineError(f"{file} is damaged ({error}): train the model again, or copy its folder anew")
