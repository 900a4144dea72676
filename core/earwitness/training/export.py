"""From torch, which learns, to ONNX, which answers."""

import json
import logging
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from google.protobuf.message import Message
from torch.nn import functional

from earwitness.errors import TrainingError
from earwitness.network import OnnxNetwork
from earwitness.training.checkpoint import write_tensors
from earwitness.training.learner import Classifier

__all__ = ["export", "export_network"]

OPSET = 18
TOLERANCE = 1e-4  # relative to the largest value of the embedding
NOTES = ("doc_string", "metadata_props")


def export(
    model: Classifier, weights: dict[str, torch.Tensor], sources: Sequence[str], shape: tuple[int, int], out: Path
) -> None:
    """Write to the folder `out`: `weights`, the head, and the network for windows of `shape` (frames, dims).

    Heads of branches are left out: they did their part in learning.

    The head's file has one tensor, `directions` (C, d), a unit row for each of the `sources`, which its metadata
    lists in the same order.

    Raises:
        TrainingError: the ONNX network doesn't compute what the torch one does.
    """
    model.load_state_dict(weights)
    kept = {key: value for key, value in weights.items() if not key.startswith("branch_heads.")}
    write_tensors(out / "weights.safetensors", kept)
    directions = functional.normalize(weights["head.weight"])
    write_tensors(out / "head.safetensors", {"directions": directions}, {"sources": json.dumps(sources)})
    export_network(model.network, shape, out / "network.onnx")


def export_network(network: torch.nn.Module, shape: tuple[int, int], file: Path) -> None:
    """Write `network` as ONNX for windows of `shape` in batches of any size, and compare the two."""
    network = network.cpu().eval()
    example = torch.randn(3, *shape, generator=torch.Generator().manual_seed(0))
    draft = file.with_suffix(".tmp")
    _write(network, example[:2], draft)
    _strip(draft)
    with torch.inference_mode():
        expected = network(example).numpy()
    computed = OnnxNetwork(draft)(example.numpy())
    if not np.allclose(computed, expected, rtol=0.0, atol=TOLERANCE * np.abs(expected).max()):
        name = type(network).__name__
        raise TrainingError(f"{name} computes something else as ONNX than in torch: report it to its plugin's author")
    draft.replace(file)


def _strip(file: Path) -> None:
    """Take out the exporter's notes, which hold paths of the machine that it ran on."""
    model = onnx.load(file)
    _forget(model)
    onnx.save(model, file)


def _forget(message: Message) -> None:
    """Clear documentation and metadata here and in all that it holds: graphs, functions, nodes, values."""
    for field, value in message.ListFields():
        if field.name in NOTES:
            message.ClearField(field.name)
        elif field.message_type:
            for each in [value] if isinstance(value, Message) else value:
                _forget(each)


def _write(network: torch.nn.Module, example: torch.Tensor, file: Path) -> None:
    """The exporter warns of its own deprecated insides and of operators that it does without."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            warnings.simplefilter("ignore", FutureWarning)
            warnings.filterwarnings("ignore", r"The tensor attributes .*_flat_weights", UserWarning)
            torch.onnx.export(
                network,
                (example,),
                file,
                dynamo=True,
                opset_version=OPSET,
                input_names=["features"],
                output_names=["vectors"],
                dynamic_shapes=({0: torch.export.Dim("batch")},),
                external_data=False,
                verbose=False,
            )
    finally:
        logger.setLevel(level)
