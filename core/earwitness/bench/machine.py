"""The machine that a figure was found on, and the versions of what found it."""

import os
import platform
from pathlib import Path

from earwitness import __version__
from earwitness.installed import installed_version

__all__ = ["stamp"]

LIBRARIES = ("numpy", "onnxruntime", "faiss-cpu", "faiss-gpu", "soundfile", "soxr", "av", "scikit-learn", "torch")
CPUINFO = Path("/proc/cpuinfo")


def stamp() -> dict[str, object]:
    """Processor, cores that may be used, system, and the versions of what takes part."""
    versions = {name: found for name in LIBRARIES if (found := installed_version(name))}
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "system": platform.platform(),
        "versions": {"earwitness": __version__, "python": platform.python_version(), **versions},
    }


def _processor() -> str:
    """The processor by its own name, else by its architecture."""
    lines = CPUINFO.read_text(encoding="utf-8").splitlines() if CPUINFO.is_file() else []
    names = (text.strip() for key, _, text in (line.partition(":") for line in lines) if key.strip() == "model name")
    return next(names, platform.machine())
