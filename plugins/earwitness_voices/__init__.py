"""Cards of synthesis systems, and the pipelines that tell them apart."""

from collections.abc import Iterable
from importlib.resources import files

import yaml

from earwitness import hookimpl
from earwitness.types import Card

__all__ = ["register_pipelines", "register_sources"]


@hookimpl
def register_pipelines() -> Iterable[str]:
    """Return the pipelines of this plugin as YAML texts."""
    folder = files("earwitness_voices") / "pipelines"
    return [file.read_text("utf-8") for file in sorted(folder.iterdir(), key=lambda file: file.name)]


@hookimpl
def register_sources() -> Iterable[Card]:
    """Return the cards of the systems this plugin knows."""
    cards = yaml.safe_load((files("earwitness_voices") / "cards.yaml").read_text("utf-8"))
    return [Card.from_dict({"id": name, **card}) for name, card in cards.items()]
