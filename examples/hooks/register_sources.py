"""The card of a synthesis system; many are better kept in YAML and read by `earwitness.cards.read_cards`."""

from collections.abc import Iterable

from earwitness import hookimpl
from earwitness.types import Card


@hookimpl
def register_sources() -> Iterable[Card]:
    """Return the card."""
    return [
        Card("acme/voice-2", family="vits", vendor="Acme", model="Voice 2", released="2025", languages=("en", "de"))
    ]
