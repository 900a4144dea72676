"""What is installed, which device answers, what would fail, and how to mend it."""

import os
import platform
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import packages_distributions, requires, version
from pathlib import Path
from typing import Literal

from earwitness.errors import EarwitnessError
from earwitness.installed import installed_version
from earwitness.places import cache_folder, registry_place, user_folder
from earwitness.plugins import ALLOWED, load_catalogue

__all__ = ["Finding", "examine"]

State = Literal["ok", "warning", "fault"]

TWINS = {"faiss": ("faiss-cpu", "faiss-gpu"), "onnxruntime": ("onnxruntime", "onnxruntime-gpu")}
"""Modules that two distributions bring; installed together, one overwrites half of the other."""

EXTRAS = ("train", "ssl", "serve", "report", "parquet", "ray")

DECODERS = ("aac", "amrnb", "amrwb", "mp3float", "opus", "vorbis", "wmav2")

GPU_FILE = Path("/dev/nvidiactl")

IDENTITY = (
    b'\x08\x08:7\n\x10\n\x01x\x12\x01y"\x08Identity\x12\x01gZ\x0f\n\x01x\x12\n\n\x08\x08\x01\x12\x04\n\x02\x08\x01'
    b"b\x0f\n\x01y\x12\n\n\x08\x08\x01\x12\x04\n\x02\x08\x01B\x04\n\x00\x10\x11"
)
"""An ONNX network of one node, y = x (1,): the least that a provider can be tried with."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing examined: how it stands, what was found, and the way to `mend` it, if it needs one."""

    what: str
    state: State
    detail: str
    mend: str = ""


def examine(registry: Path | None = None) -> list[Finding]:
    """Examine this installation and the registry in use, which is opened for reading only."""
    return [
        Finding("python", "ok", f"{platform.python_version()} on {platform.platform()}"),
        *_dependencies(),
        *_twins(),
        *_extras(),
        *_torch(),
        *_gpu(),
        *_decoders(),
        *_plugins(),
        *_folders(),
        *_registry(registry),
    ]


def _required(extra: str | None) -> list[str]:
    """The distributions that we, or an extra of ours, ask for."""
    asked = [line.partition(";") for line in requires("earwitness") or ()]
    return [re.split(r"[^\w.-]", name, maxsplit=1)[0] for name, _, marker in asked if _extra_of(marker) == extra]


def _extra_of(marker: str) -> str | None:
    """The extra named in a requirement's marker."""
    found = re.search(r"extra\s*==\s*['\"]([\w-]+)['\"]", marker)
    return found and found[1]


def _dependencies() -> Iterator[Finding]:
    """What every installation needs, but for the twins."""
    for name in _required(None):
        if any(name in twins for twins in TWINS.values()):
            continue
        found = installed_version(name)
        yield Finding(name, "ok", found) if found else Finding(name, "fault", "missing", f"pip install {name}")


def _twins() -> Iterator[Finding]:
    """One distribution each must own `faiss` and `onnxruntime`."""
    owners = packages_distributions()
    for module, (plain, gpu) in TWINS.items():
        own = sorted(set(owners.get(module, ())))
        detail = ", ".join(f"{name} {version(name)}" for name in own)
        if not own:
            yield Finding(module, "fault", "missing", f"pip install {plain}")
        elif len(own) > 1:
            mend = f"pip uninstall --yes {' '.join(own)} && pip install {gpu if gpu in own else plain}"
            yield Finding(module, "fault", f"{detail} overwrite one another", mend)
        else:
            yield Finding(module, "ok", detail)


def _extras() -> Iterator[Finding]:
    """Optional parts; none of them is needed to identify."""
    for extra in EXTRAS:
        found = {name: installed_version(name) for name in _required(extra)}
        missing = [name for name, number in found.items() if number is None]
        if missing:
            detail = f"optional; not installed: {', '.join(missing)}"
            yield Finding(f"extra {extra}", "ok", detail, f"pip install 'earwitness[{extra}]'")
        else:
            yield Finding(f"extra {extra}", "ok", ", ".join(f"{name} {number}" for name, number in found.items()))


def _torch() -> Iterator[Finding]:
    """The torchaudio in use loads only beside the torch it was built for."""
    pair = {name: installed_version(name) for name in ("torch", "torchaudio")}
    if None in pair.values():
        return
    detail = ", ".join(f"{name} {number}" for name, number in pair.items())
    try:
        import_module("torchaudio")
    except (ImportError, OSError, RuntimeError) as error:
        detail = f"{detail} don't load together: {' '.join(str(error).split())}"
        yield Finding("torch pair", "fault", detail, "pip install --force-reinstall 'earwitness[train]'")
    else:
        yield Finding("torch pair", "ok", detail)


def _gpu() -> Iterator[Finding]:
    """Which library reaches an NVIDIA GPU, where there is one."""
    if not GPU_FILE.exists():
        yield Finding("gpu", "ok", "no NVIDIA GPU on this machine: everything runs on the CPU")
        return
    reached = {"onnxruntime": _onnxruntime_reaches, "faiss": _faiss_reaches, "torch": _torch_reaches}
    for name, reaches in reached.items():
        if name == "torch" and installed_version("torch") is None:
            continue
        if reaches():
            yield Finding(f"gpu by {name}", "ok", "reached")
        else:
            mend = "pip install 'earwitness[train]'" if name == "torch" else "follow docs/gpu.md"
            yield Finding(f"gpu by {name}", "warning", "not reached: it runs on the CPU", mend)


def _onnxruntime_reaches() -> bool:
    """Whether a session really runs there: with a CUDA library missing, ONNX Runtime falls back in silence."""
    import onnxruntime as ort

    provider = "CUDAExecutionProvider"
    if provider not in ort.get_available_providers():
        return False
    ort.preload_dlls()
    ort.set_default_logger_severity(4)
    return provider in ort.InferenceSession(IDENTITY, providers=[provider]).get_providers()


def _faiss_reaches() -> bool:
    import faiss

    return bool(faiss.get_num_gpus())


def _torch_reaches() -> bool:
    import torch

    return torch.cuda.is_available()


def _decoders() -> Iterator[Finding]:
    """The libraries that decode, and the codecs of FFmpeg that recordings come in."""
    import av
    import soundfile

    yield Finding("libsndfile", "ok", soundfile.__libsndfile_version__)
    ffmpeg = "libavcodec " + ".".join(map(str, av.library_versions["libavcodec"]))
    if missing := [name for name in DECODERS if name not in av.codecs_available]:
        yield Finding("ffmpeg", "warning", f"{ffmpeg} lacks {', '.join(missing)}", "pip install --force-reinstall av")
    else:
        yield Finding("ffmpeg", "ok", f"{ffmpeg} with {', '.join(DECODERS)}")


def _plugins() -> Iterator[Finding]:
    """Plugins that load, those that take their time, and those that were set aside or may not load."""
    catalogue = load_catalogue()
    for plugin in catalogue.plugins:
        what, origin = f"plugin {plugin.name}", f"{plugin.distribution} {plugin.version}"
        if plugin.problem:
            mend = f"mend it, or pip uninstall {plugin.distribution}"
            yield Finding(what, "fault", f"{origin} is set aside: {plugin.problem}", mend)
        elif plugin.barred:
            yield Finding(what, "ok", f"{origin} is not loaded: {ALLOWED} doesn't list it")
        elif plugin.slow:
            mend = f"have it import what is heavy when it is used, or pip uninstall {plugin.distribution}"
            yield Finding(what, "warning", f"{origin} takes {plugin.seconds:.1f} s to load", mend)
        else:
            yield Finding(what, "ok", origin)
    for name in catalogue.missing:
        mend = f"pip install {name}, or take it out"
        yield Finding(ALLOWED, "warning", f"lists {name}, and no distribution of that name brings plugins", mend)


def _folders() -> Iterator[Finding]:
    """Where data and cached features go."""
    for what, folder, variable in (
        ("data folder", user_folder(), "XDG_DATA_HOME"),
        ("cache folder", cache_folder(), "XDG_CACHE_HOME"),
    ):
        ground = next(path for path in (folder, *folder.parents) if path.exists())
        if ground.is_dir() and os.access(ground, os.W_OK):
            yield Finding(what, "ok", str(folder))
        else:
            mend = f"make {ground} a folder that you may write to, or set {variable}"
            yield Finding(what, "warning", f"{folder} can't be written", mend)


def _registry(asked: Path | None) -> Iterator[Finding]:
    """Whether the registry in use opens, agrees with its digests, and its models compute what they did."""
    from earwitness.engine import Engine
    from earwitness_registry import Registry

    place = registry_place(asked)
    what = "starter registry" if place.starter else "registry"
    try:
        with Engine(Registry.open(place.folder, read_only=True), load_catalogue()) as engine:
            faults = engine.registry.verify()
            detail = f"{place.folder}: {len(engine.registry.cards())} sources"
    except EarwitnessError as error:
        yield Finding(what, "fault", str(error), "do as it says, or name another registry by --registry")
        return
    for fault in faults:
        yield Finding(what, "fault", fault, "restore it from a copy or a bundle")
    if not faults:
        yield Finding(what, "ok", detail)
