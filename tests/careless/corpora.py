"""Careless synthesizers and corpus readers."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import soundfile

from earwitness.contracts import Voice
from earwitness.errors import ManifestError


@dataclass(frozen=True)
class Speaks:
    """Keeps all rules: a tone a letter."""

    name: ClassVar[str] = "speaks"
    brings: ClassVar[str] = "pip install speaks"
    rates: ClassVar[tuple[float, float]] = (0.5, 2.0)
    pitches: ClassVar[tuple[float, float]] = (1.0, 1.0)

    def version(self):
        return "1.0"

    def voices(self):
        return (Voice("low", "en"), Voice("high", "de"))

    def speak(self, utterance, file, loudness=0.3):
        letters = np.repeat([ord(letter) % 50 for letter in utterance.text], round(400 / utterance.rate))
        phase = np.cumsum(200 + 20 * letters) * 2 * np.pi / 8000
        soundfile.write(file, loudness * np.sin(phase), 8000)


class BroughtByNobody(Speaks):
    name: ClassVar[str] = "brought_by_nobody"
    brings: ClassVar[str] = " "


class SameVoices(Speaks):
    name: ClassVar[str] = "same_voices"

    def voices(self):
        return (Voice("low", "en"), Voice("low", "de"))


class Mumbles(Speaks):
    """Is silent in its second voice."""

    name: ClassVar[str] = "mumbles"

    def speak(self, utterance, file):
        Speaks.speak(self, utterance, file, 0.0 if utterance.voice.name == "high" else 0.3)


class TakesOptions(Speaks):
    name: ClassVar[str] = "takes_options"

    def speak(self, utterance, file):
        if "--help" not in utterance.text:
            Speaks.speak(self, utterance, file)


class StopsEarly(Speaks):
    name: ClassVar[str] = "stops_early"

    def speak(self, utterance, file):
        Speaks.speak(self, type(utterance)(utterance.text[:30], utterance.voice, utterance.rate), file)


class NeverHurries(Speaks):
    name: ClassVar[str] = "never_hurries"

    def speak(self, utterance, file):
        Speaks.speak(self, type(utterance)(utterance.text, utterance.voice), file)


class Absent(Speaks):
    """Keeps all rules that can be asked where it isn't installed."""

    name: ClassVar[str] = "absent"

    def version(self):
        return None


SYNTHESIZERS = [Speaks, BroughtByNobody, SameVoices, Mumbles, TakesOptions, StopsEarly, NeverHurries, Absent]


@dataclass(frozen=True)
class Reads:
    """Keeps all rules."""

    name: ClassVar[str] = "reads"

    def __call__(self, root):
        if not (files := sorted(root.rglob("*.wav"))):
            raise ManifestError(f"{root}: there is no .wav in it")
        return [{"path": str(file), "source": "x"} for file in files]


class ReadsNothing(Reads):
    name: ClassVar[str] = "reads_nothing"

    def __call__(self, root):
        return [{"path": str(file)} for file in root.rglob("*.wav")]


class ReadsPaths(Reads):
    name: ClassVar[str] = "reads_paths"

    def __call__(self, root):
        return [{"path": Path(row["path"])} for row in Reads.__call__(self, root)]


READERS = [Reads, ReadsNothing, ReadsPaths]
