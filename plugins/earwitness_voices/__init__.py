"""Synthesis systems: their cards, the pipelines that tell them apart, and drivers that make clips of them."""

from collections.abc import Iterable
from importlib.resources import files

from earwitness import hookimpl
from earwitness.cards import read_cards
from earwitness.contracts import Synthesizer
from earwitness.types import Card
from earwitness_voices.synthesizers import SYNTHESIZERS

__all__ = ["register_pipelines", "register_sources", "register_synthesizers"]


@hookimpl
def register_pipelines() -> Iterable[str]:
    """Return the pipelines of this plugin as YAML texts."""
    folder = files("earwitness_voices") / "pipelines"
    return [file.read_text("utf-8") for file in sorted(folder.iterdir(), key=lambda file: file.name)]


@hookimpl
def register_sources() -> Iterable[Card]:
    """Return the cards of the systems this plugin knows."""
    return read_cards(files("earwitness_voices") / "cards.yaml")


@hookimpl
def register_synthesizers() -> Iterable[type[Synthesizer]]:
    """Return the drivers of synthesizers of this plugin."""
    return SYNTHESIZERS
