"""Make voices that nobody has from one Piper voice, so that what is learnt from them is Piper and not its speaker.

The decoder hears z' = (I + e R) z / sqrt(1 + e^2) instead of z, R random of variance 1 / channels, which alters the
timbre; every other voice's decoder weights drift too. The upsampling, and with it the lattice, stays. Runs in an
environment of its own that holds `onnx`.

Arguments: the voice's ONNX file, whose settings lie beside it as `.onnx.json`; the folder to fill; the count.

Paper: Kim, Kong, Son 2021, "Conditional Variational Autoencoder with Adversarial Learning for End-to-End
Text-to-Speech" (z and its decoder).
"""

import shutil
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto, helper, numpy_helper

DECODER = "dec."
FIRST_LAYER = "/dec/conv_pre/Conv"
CHANNELS = 192
MIXING = (0.3, 0.8)
DRIFT = (0.02, 0.06)  # of a tensor's own deviation


def mix(model: ModelProto, rng: np.random.Generator) -> None:
    """Put a random linear map of the channels before the decoder."""
    strength = rng.uniform(*MIXING)
    noise = rng.standard_normal((CHANNELS, CHANNELS)) / np.sqrt(CHANNELS)
    weight = (np.eye(CHANNELS) + strength * noise) / np.sqrt(1 + strength**2)
    first = next(node for node in model.graph.node if node.name == FIRST_LAYER)
    node = helper.make_node("Conv", [first.input[0], "mix.weight"], ["mixed"], name="/mix", kernel_shape=[1])
    model.graph.initializer.append(numpy_helper.from_array(weight[:, :, None].astype(np.float32), "mix.weight"))
    model.graph.node.insert(list(model.graph.node).index(first), node)
    first.input[0] = "mixed"


def drift(model: ModelProto, rng: np.random.Generator) -> None:
    """Add noise to the decoder's weights, in proportion to each tensor's deviation."""
    share = rng.uniform(*DRIFT)
    for tensor in model.graph.initializer:
        if tensor.name.startswith(DECODER):
            weights = numpy_helper.to_array(tensor)
            moved = weights + share * weights.std() * rng.standard_normal(weights.shape)
            tensor.CopyFrom(numpy_helper.from_array(moved.astype(np.float32), tensor.name))


def main() -> None:
    """Write the count of voices that the command line asks for."""
    source, out, count = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    out.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        model, rng = onnx.load(str(source)), np.random.default_rng([5, index])
        mix(model, rng)
        if index % 2:
            drift(model, rng)
        path = out / f"mixed-{index:02d}.onnx"
        onnx.save(model, str(path))
        shutil.copy(f"{source}.json", f"{path}.json")


if __name__ == "__main__":
    main()
