"""Services that speak the form of OpenAI's `POST /v1/audio/speech`, of which there are many, local ones too."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from earwitness.contracts import Utterance, Voice
from earwitness.errors import OptionError

__all__ = ["OpenAISpeech"]


@dataclass(frozen=True, slots=True)
class OpenAISpeech:
    """A service by HTTP; what is spoken leaves this machine if the service is elsewhere.

    Args:
        url: Where the service is, as http://localhost:8880, without /v1.
        model: Its name there, and the id of the source.
        speakers: The voices to ask for.
        language: What they speak, two letters.
        key: The environment variable that holds the key, if the service wants one.
        seconds: What a sentence may take.

    Raises:
        OptionError: The url is not one of HTTP.
    """

    name: ClassVar[str] = "openai-speech"
    brings: ClassVar[str] = "a service, given by --set url=http://HOST:PORT"
    rates: ClassVar[tuple[float, float]] = (0.8, 1.25)
    pitches: ClassVar[tuple[float, float]] = (1.0, 1.0)
    url: str = ""
    model: str = "tts-1"
    speakers: tuple[str, ...] = ("alloy", "ash", "coral", "echo", "fable", "nova", "onyx", "sage", "shimmer")
    language: str = "en"
    key: str = "OPENAI_API_KEY"
    seconds: float = 60.0

    def __post_init__(self) -> None:
        if self.url and not self.url.startswith(("http://", "https://")):
            raise OptionError(f"url {self.url!r} is not one of HTTP: give one as http://localhost:8880")

    def version(self) -> str | None:
        """The model, or None where no url is given: the form has no way to ask for a version."""
        return self.model if self.url else None

    def voices(self) -> tuple[Voice, ...]:
        """The voices as they were given: the form has no way to ask for them."""
        return tuple(Voice(name, self.language, self.model) for name in self.speakers)

    def speak(self, utterance: Utterance, file: Path) -> None:
        """Write what the service answers, WAV if it does as it is asked."""
        from earwitness_voices.synthesizers._http import post

        body = {
            "model": self.model,
            "input": utterance.text,
            "voice": utterance.voice.name,
            "speed": utterance.rate,
            "response_format": "wav",
        }
        headers = {"Content-Type": "application/json"}
        if key := os.environ.get(self.key):
            headers["Authorization"] = f"Bearer {key}"
        url = f"{self.url.rstrip('/')}/v1/audio/speech"
        file.write_bytes(post(url, json.dumps(body).encode(), headers, self.seconds))
