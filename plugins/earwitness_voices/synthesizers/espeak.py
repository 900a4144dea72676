"""eSpeak NG and its forebear eSpeak: formant synthesis by rule, with sinusoids or by Klatt's resonators.

J. Duddington, eSpeak (1995-2015); R. H. Dunn et al., eSpeak NG (2015-). D. H. Klatt, "Software for a
cascade/parallel formant synthesizer", J. Acoust. Soc. Am. 67(3), 1980.
"""

import re
from dataclasses import dataclass
from math import log
from pathlib import Path
from typing import ClassVar

from earwitness.contracts import Utterance, Voice
from earwitness.speaking.programs import run_program
from earwitness_voices.synthesizers._version import stated_version

__all__ = ["Espeak", "EspeakNG"]

FORMANT = ("", *(f"+f{k}" for k in range(1, 6)), *(f"+m{k}" for k in range(1, 8)))
KLATT = ("+klatt", "+klatt2", "+klatt3", "+klatt4")
"""Variants that both programs have; the rest of a voice's name is its language."""

WORDS = 175  # a minute: the rate that both have by default
MANDARIN = "cmn"
ROW = r"^ *\d+ +(\S+) +\S+ +\S+ +(\S+)"
"""A line of `--voices`: priority, code, age and sex, name, file; wanted are the code and the file."""


@dataclass(frozen=True, slots=True)
class _Program:
    """What eSpeak NG kept of eSpeak's command line; a sentence may take `seconds`."""

    name: ClassVar[str]
    brings: ClassVar[str]
    banner: ClassVar[str]
    rates: ClassVar[tuple[float, float]] = (0.8, 1.25)
    pitches: ClassVar[tuple[float, float]] = (0.8, 1.25)
    seconds: float = 60.0

    def version(self) -> str | None:
        """The version, or None where there is none; each may be installed under the other's name."""
        return stated_version([self.name, "--version"], rf"^{self.banner} text-to-speech: ([\w.-]+)")

    def voices(self) -> tuple[Voice, ...]:
        """Each language in all variants, by the two methods as two sources."""
        system = self._system()
        return tuple(
            Voice(code + variant, language, f"{system}-{method}")
            for code, language in self._languages().items()
            for method, variants in (("formant", FORMANT), ("klatt", KLATT))
            for variant in variants
        )

    def _system(self) -> str:
        """What its sources' ids begin with."""
        return self.name

    def _languages(self) -> dict[str, str]:
        """The program's codes of languages, as en-gb, and each as two letters; MBROLA's voices are another system."""
        rows = re.findall(ROW, run_program([self.name, "--voices"], seconds=self.seconds), re.MULTILINE)
        codes = (code for code, file in rows if not file.startswith("mb/") and "latn" not in code)
        found = {code: "zh" if code == MANDARIN else code.partition("-")[0] for code in codes}
        return {code: language for code, language in found.items() if len(language) == 2}

    def speak(self, utterance: Utterance, file: Path) -> None:
        """Write the speech as WAV; 0 to 99 of pitch span about 2/3 to 5/3 of the voice's own, evenly in octaves."""
        pitch = min(99, max(0, round(50 + 50 * log(utterance.pitch) / log(5 / 3))))
        how = ["-v", utterance.voice.name, "-s", str(round(WORDS * utterance.rate)), "-p", str(pitch)]
        command = [self.name, "--stdin", "-b", "1", *how, "-w", str(file)]
        run_program(command, utterance.text.encode(), seconds=self.seconds)


@dataclass(frozen=True, slots=True)
class EspeakNG(_Program):
    """eSpeak NG, over a hundred languages."""

    name: ClassVar[str] = "espeak-ng"
    brings: ClassVar[str] = "apt install espeak-ng"
    banner: ClassVar[str] = "eSpeak NG"


@dataclass(frozen=True, slots=True)
class Espeak(_Program):
    """eSpeak as it was until 2015; some systems have eSpeak NG under this name, which doesn't count."""

    name: ClassVar[str] = "espeak"
    brings: ClassVar[str] = "apt install espeak"
    banner: ClassVar[str] = "eSpeak"

    def _system(self) -> str:
        major, minor = (self.version() or "1.48").split(".")[:2]
        return f"espeak{major}{minor}"
