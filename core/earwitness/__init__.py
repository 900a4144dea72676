"""Earwitness: what made this clip of speech? Open-set attribution of recording devices and synthesis systems.

import earwitness
engine = earwitness.open()                    # or earwitness.open("my-registry")
verdicts = engine.identify("clip.wav")        # list of Verdict, one a task
engine.enroll("acme/voice-2", ["a.wav", "b.wav"])
"""

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pluggy

if TYPE_CHECKING:
    from earwitness.engine import Engine

__all__ = ["hookimpl", "open"]
__version__ = "0.1.0"

hookimpl = pluggy.HookimplMarker("earwitness")


def open(registry: str | PathLike[str] | None = None, device: Literal["cpu", "cuda"] = "cpu") -> "Engine":  # noqa: A001 - reads as earwitness.open
    """Open a registry folder, else $EARWITNESS_REGISTRY, else the user's own, else the starter (read-only).

    Raises:
        RegistryError: there is none at that place, or it is damaged.
        ProbeError: its model no longer computes what it did.
    """
    from earwitness.engine import open_engine

    return open_engine(Path(registry) if registry is not None else None, device)
