"""What recordings show of their own making, asked of the tracers alone: nothing needs to be enrolled."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from os import PathLike
from typing import Any

from earwitness.audio import Fallback
from earwitness.contracts import Tracer
from earwitness.listening import Excerpt, listen
from earwitness.plugins import Catalogue
from earwitness.types import Trace

__all__ = ["NOTHING", "Traced", "all_tracers", "trace_clips"]

NOTHING = "no trace found, which proves nothing"


@dataclass(frozen=True, slots=True)
class Traced:
    """The traces of one file, or why it couldn't be heard; field by field as in the JSON that others rely on.

    No trace proves nothing. `duration` is in seconds.
    """

    clip: str
    sha256: str | None = None
    duration: float | None = None
    traces: tuple[Trace, ...] = ()
    warnings: tuple[str, ...] = ()
    error: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain data ready for JSON."""
        return asdict(self)


def all_tracers(catalogue: Catalogue) -> tuple[Tracer, ...]:
    """Every tracer that the plugins offer, by name, with its defaults."""
    return tuple(catalogue.get("tracer", name)() for name in catalogue.names("tracer"))


def trace_clips(
    paths: Iterable[str | PathLike[str]], tracers: Sequence[Tracer], fallback: Fallback | None = None
) -> Iterator[Traced]:
    """The traces of files, in their order; one that can't be heard gives its error, and the rest go on."""
    for heard in listen(map(Excerpt, paths), (), tracers, fallback):
        name, origin = str(heard.excerpt), heard.origin
        if origin is None:
            yield Traced(name, error=str(heard.error))
        else:
            yield Traced(name, origin.sha256, origin.duration, heard.traces, heard.warnings)
