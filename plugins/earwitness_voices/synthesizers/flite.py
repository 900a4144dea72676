"""Flite: Festival's engines in C, with diphones and with Clustergen.

A. W. Black and K. A. Lenzo, "Flite: a small fast run-time synthesis engine", SSW4, 2001. A. W. Black,
"CLUSTERGEN: a statistical parametric synthesizer using trajectory modeling", Interspeech, 2006.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from earwitness.contracts import Utterance, Voice
from earwitness.speaking.programs import run_program
from earwitness_voices.synthesizers._version import stated_version

__all__ = ["Flite"]

DIPHONES = ("kal", "kal16")
CLOCK = "awb_time"
"""A voice that can only tell the time."""


@dataclass(frozen=True, slots=True)
class Flite:
    """The voices that are built into Flite, all English; a sentence may take `seconds`.

    Not every voice heeds the pitch: rms does not.
    """

    name: ClassVar[str] = "flite"
    brings: ClassVar[str] = "apt install flite"
    rates: ClassVar[tuple[float, float]] = (0.8, 1.25)
    pitches: ClassVar[tuple[float, float]] = (0.8, 1.25)
    seconds: float = 60.0

    def version(self) -> str | None:
        """The version, or None where there is none; asked for it, Flite exits with 1."""
        return stated_version(["flite", "--version"], r"version: flite-([\d.]+)", codes=(0, 1))

    def voices(self) -> tuple[Voice, ...]:
        """The voices, by the two methods as two sources."""
        _, _, listed = run_program(["flite", "-lv"], seconds=self.seconds).partition(":")
        return tuple(
            Voice(name, "en", "flite-diphone" if name in DIPHONES else "flite-clustergen")
            for name in listed.split()
            if name != CLOCK
        )

    def speak(self, utterance: Utterance, file: Path) -> None:
        """Write the speech as WAV."""
        stretch, shift = f"duration_stretch={1 / utterance.rate:.4f}", f"f0_shift={utterance.pitch:.4f}"
        command = ["flite", "-voice", utterance.voice.name, "--setf", stretch, "--setf", shift, "-f", "/dev/stdin"]
        run_program([*command, "-o", file], utterance.text.encode(), seconds=self.seconds)
