"""Embedders that learn from the frames of labelled clips: each clip in one of its versions, these in turn."""

import json
from functools import partial
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from earwitness.contracts import AnchorEmbedder
from earwitness.training.closed_form import evaluate
from earwitness.training.data import Corpus
from earwitness.training.features import InTurn
from earwitness_registry.files import write_whole

__all__ = ["fit_anchors"]


def fit_anchors(embedder: AnchorEmbedder, train: Corpus, dev: Corpus, out: Path) -> float:
    """Fit on `train`, write weights and head to `out`; macro-F1 on dev, as `evaluate` has it, by the head.

    The head's directions are the axes of the classes, so that the largest cosine is that of the class that fits best.
    """
    state = embedder.fit_frames(InTurn(train.clips), train.labels)
    write_whole(out / "weights.safetensors", save({key: np.ascontiguousarray(array) for key, array in state.items()}))
    axes = np.eye(len(train.sources), dtype=np.float32)
    write_whole(out / "head.safetensors", save({"directions": axes}, {"sources": json.dumps(train.sources)}))
    return evaluate(partial(embedder.embed, state), axes, dev)
