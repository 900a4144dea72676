"""From a clip's long spectrum to the machine behind it: the lattice of lines that upsampling leaves."""

from collections.abc import Iterable
from importlib.resources import files

from earwitness import hookimpl
from earwitness.contracts import Frontend, Tracer
from earwitness_cyclic.cyclic_lines import CyclicLines
from earwitness_cyclic.lattice_profile import LatticeProfile
from earwitness_cyclic.lattice_tracer import LatticeTracer

__all__ = [
    "CyclicLines",
    "LatticeProfile",
    "LatticeTracer",
    "register_frontends",
    "register_pipelines",
    "register_tracers",
]


@hookimpl
def register_frontends() -> Iterable[type[Frontend]]:
    """Return the frontend classes of this plugin."""
    return (CyclicLines, LatticeProfile)


@hookimpl
def register_pipelines() -> Iterable[str]:
    """Return the pipelines of this plugin as YAML texts."""
    folder = files("earwitness_cyclic") / "pipelines"
    return [file.read_text("utf-8") for file in sorted(folder.iterdir(), key=lambda file: file.name)]


@hookimpl
def register_tracers() -> Iterable[type[Tracer]]:
    """Return the tracer classes of this plugin."""
    return (LatticeTracer,)
