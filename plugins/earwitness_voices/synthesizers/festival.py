"""Festival: diphones with residual LPC, and HTS's parametric voices.

P. Taylor, A. W. Black and R. Caley, "The architecture of the Festival speech synthesis system", SSW3, 1998.
H. Zen et al., "The HMM-based speech synthesis system (HTS) version 2.0", SSW6, 2007.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from earwitness.contracts import Utterance, Voice
from earwitness.speaking.programs import run_program
from earwitness_voices.synthesizers._version import stated_version

__all__ = ["Festival"]

LANGUAGES = {"english": "en", "italian": "it", "russian": "ru", "spanish": "es"}
UNICODE = {"ru"}
"""Languages whose voices read UTF-8; the others are of before its time and read Latin-1."""

LIST = """
(define (language voice) (cadr (assoc 'language (cadr (voice.description voice)))))
(mapcar (lambda (voice) (format t "%s %s\\n" voice (language voice))) (voice.list))
"""


@dataclass(frozen=True, slots=True)
class Festival:
    """The installed voices of Festival; a sentence may take `seconds`.

    The pitch stays as it is: it is set in as many ways as there are methods.
    """

    name: ClassVar[str] = "festival"
    brings: ClassVar[str] = "apt install festival festvox-kallpc16k festvox-us-slt-hts"
    rates: ClassVar[tuple[float, float]] = (0.8, 1.25)
    pitches: ClassVar[tuple[float, float]] = (1.0, 1.0)
    seconds: float = 60.0

    def version(self) -> str | None:
        """The version, or None where there is none."""
        return stated_version(["festival", "--version"], r"Speech Synthesis System: ([\d.]+\d)")

    def voices(self) -> tuple[Voice, ...]:
        """The voices, each method a source: the last part of a voice's name says which."""
        said = run_program(["festival", "--pipe"], LIST.encode(), seconds=self.seconds)
        told = re.findall(r"^(\S+) (\w+)$", said, re.MULTILINE)
        rows = [(name, LANGUAGES[language]) for name, language in told if language in LANGUAGES]
        return tuple(Voice(name, language, f"festival-{name.rpartition('_')[2]}") for name, language in rows)

    def speak(self, utterance: Utterance, file: Path) -> None:
        """Write the speech as WAV."""
        voice = utterance.voice
        orders = [f"(voice_{voice.name})", f"(Parameter.set 'Duration_Stretch {1 / utterance.rate:.4f})"]
        text = utterance.text.encode("utf-8" if voice.language in UNICODE else "latin-1", "replace")
        evaluated = [part for order in orders for part in ("-eval", order)]
        run_program(["text2wave", *evaluated, "-o", file, "/dev/stdin"], text, seconds=self.seconds)
