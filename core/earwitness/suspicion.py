"""Sources suspected by their cards alone: those whose vocoder would leave the lattice that a clip carries."""

from collections.abc import Iterable

from earwitness.types import Card, Trace

__all__ = ["suspects"]

ACCURACY = 5e-4
"""Share by which a lattice's spacing may differ from native rate / hop."""


def suspects(traces: Iterable[Trace], cards: Iterable[Card]) -> tuple[tuple[str, ...], str | None]:
    """The ids of cards whose native rate / hop is the spacing of an upsampling trace, and the family they all share.

    Nothing of them needs to be enrolled; a lattice is shared by all systems of one architecture, so this is where to
    look, not an answer.
    """
    spacings = [trace.spacing_hz for trace in traces if trace.kind == "upsampling"]
    found = {
        card.id: card.family
        for card in cards
        if card.native_rate and card.hop and any(_alike(card.native_rate / card.hop, each) for each in spacings)
    }
    families = set(found.values())
    return tuple(sorted(found)), families.pop() if len(families) == 1 else None


def _alike(expected: float, spacing: float) -> bool:
    return abs(spacing / expected - 1) <= ACCURACY
