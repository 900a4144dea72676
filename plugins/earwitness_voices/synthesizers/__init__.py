"""Drivers of synthesizers: programs on this machine, and services that speak a common form."""

from earwitness.contracts import Synthesizer
from earwitness_voices.synthesizers.espeak import Espeak, EspeakNG
from earwitness_voices.synthesizers.festival import Festival
from earwitness_voices.synthesizers.flite import Flite
from earwitness_voices.synthesizers.kokoro import Kokoro
from earwitness_voices.synthesizers.openai_speech import OpenAISpeech
from earwitness_voices.synthesizers.piper import Piper
from earwitness_voices.synthesizers.sam import Sam

__all__ = ["SYNTHESIZERS", "Espeak", "EspeakNG", "Festival", "Flite", "Kokoro", "OpenAISpeech", "Piper", "Sam"]

SYNTHESIZERS: tuple[type[Synthesizer], ...] = (
    Espeak,
    EspeakNG,
    Festival,
    Flite,
    Kokoro,
    OpenAISpeech,
    Piper,
    Sam,
)
