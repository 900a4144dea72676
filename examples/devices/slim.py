"""A trained model made small enough to ship: weights in half precision, and nothing of the devices it learned from.

python examples/devices/slim.py MODEL

Answering runs the ONNX network, which stays as it is; the weights are there to go on learning from, and to name the
space. The head, one direction for each simulated device, is of no use to anybody who enrols real ones.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from safetensors.numpy import load_file, save_file


def main(model: Annotated[Path, typer.Argument(help="Folder of a trained model; it is changed.")]) -> None:
    """Halve the weights and leave the head out."""
    weights = load_file(model / "weights.safetensors")
    kept = {name: array for name, array in weights.items() if not name.startswith("head.")}
    halved = {name: array.astype(np.float16) if array.dtype == np.float32 else array for name, array in kept.items()}
    save_file(halved, model / "weights.safetensors")
    (model / "head.safetensors").unlink(missing_ok=True)


if __name__ == "__main__":
    typer.run(main)
