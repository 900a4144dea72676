"""The hooks: each asks plugins what they offer, or announces a moment. No hook stands in a numeric loop."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    import typer

    from earwitness.contracts import (
        AnchorEmbedder,
        CorpusReader,
        Degradation,
        Embedder,
        FittedEmbedder,
        FittedFrontend,
        Frontend,
        LearnedEmbedder,
        Scorer,
        ScorerPanel,
        Synthesizer,
        Tracer,
    )
    from earwitness.types import Card, Clip, Verdict

hookspec = pluggy.HookspecMarker("earwitness")


@hookspec
def register_frontends() -> "Iterable[type[Frontend] | type[FittedFrontend]]":  # type: ignore[empty-body]
    """Return the frontend classes this plugin offers."""


@hookspec
def register_embedders() -> "Iterable[type[Embedder | FittedEmbedder | AnchorEmbedder | LearnedEmbedder]]":  # type: ignore[empty-body]
    """Return the embedder classes this plugin offers."""


@hookspec
def register_scorers() -> "Iterable[type[Scorer | ScorerPanel]]":  # type: ignore[empty-body]
    """Return the scorer classes this plugin offers, and panels of them."""


@hookspec
def register_tracers() -> "Iterable[type[Tracer]]":  # type: ignore[empty-body]
    """Return the tracer classes this plugin offers."""


@hookspec
def register_pipelines() -> Iterable[str]:  # type: ignore[empty-body]
    """Return pipelines as YAML texts: rate, window, frontend, embedder, scorer, by name and parameters."""


@hookspec
def register_sources() -> "Iterable[Card]":  # type: ignore[empty-body]
    """Return the cards of the sources this plugin knows about."""


@hookspec
def register_synthesizers() -> "Iterable[type[Synthesizer]]":  # type: ignore[empty-body]
    """Return the classes of drivers that make reference clips of a system on this machine."""


@hookspec
def register_degradations() -> "Iterable[type[Degradation]]":  # type: ignore[empty-body]
    """Return the degradation classes this plugin offers, for training and for robustness grids."""


@hookspec
def register_corpora() -> "Iterable[type[CorpusReader]]":  # type: ignore[empty-body]
    """Return the classes of readers that turn a known corpus layout into a manifest."""


@hookspec
def register_commands(app: "typer.Typer") -> None:
    """Add commands to the command line."""


@hookspec(firstresult=True)
def read_clip(path: Path) -> "Clip | None":
    """Return a file that core can't decode as a clip at its native rate, or None when it isn't yours."""


@hookspec
def verdict_reached(clip: str, verdict: "Verdict") -> None:
    """Log, count or alert: a clip was judged."""
