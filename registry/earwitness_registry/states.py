"""Fitted scorers, kept beside the index: derived data, so whatever doesn't fit is as good as absent."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
from numpy.typing import NDArray
from safetensors.numpy import save

from earwitness_registry.files import write_whole

Arrays = Mapping[str, NDArray[Any]]


def write_state(file: Path, arrays: Arrays, stamp: str) -> None:
    """Keep arrays with the stamp of the rows that they were fitted on."""
    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    write_whole(file, save(whole, metadata={"stamp": stamp, "sha256": _digest(whole)}))


def read_state(file: Path, stamp: str) -> dict[str, NDArray[Any]] | None:
    """The arrays, or None when there are none, they were fitted on other rows, or a byte has changed."""
    try:
        with safetensors.safe_open(file, framework="numpy") as opened:
            label = opened.metadata() or {}
            arrays = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 - not a mapping
    except (OSError, safetensors.SafetensorError):
        return None
    fits = label.get("stamp") == stamp and label.get("sha256") == _digest(arrays)
    return arrays if fits else None


def _digest(arrays: Arrays) -> str:
    """SHA-256 over names, types, shapes and bytes."""
    total = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        total.update(f"{name}\0{array.dtype.str}\0{array.shape}\0".encode())
        total.update(array.tobytes())
    return total.hexdigest()
