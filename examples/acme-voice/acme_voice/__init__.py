"""What Acme brings to Earwitness: a frontend, the card of its voice, and a pipeline."""

from collections.abc import Iterable

from acme_voice.third_octave import ThirdOctave
from earwitness import hookimpl
from earwitness.contracts import Frontend
from earwitness.types import Card

__all__ = ["register_frontends", "register_pipelines", "register_sources"]

PIPELINE = """
name: acme-ltas
rate: 16000
window: 4.0
hop: 2.0
frontend: third-octave
embedder: stats
scorer: mahalanobis
"""


@hookimpl
def register_frontends() -> Iterable[type[Frontend]]:
    """Return Acme's frontend."""
    return [ThirdOctave]


@hookimpl
def register_sources() -> Iterable[Card]:
    """Return the card of Acme's voice."""
    return [Card("acme/voice-2", family="acme", vendor="Acme", model="Voice 2", languages=("en",))]


@hookimpl
def register_pipelines() -> Iterable[str]:
    """Return the pipeline that compares long-term average spectra."""
    return [PIPELINE]
