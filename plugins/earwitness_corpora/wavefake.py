"""`wavefake`: WaveFake: one English and one Japanese voice through seven vocoders, and one text-to-speech system."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from earwitness_corpora._files import absent, audio_in, files_below

FOLDER = re.compile(r"(ljspeech|jsut)_(?!real)(.+)|common_voices_prompts_from_(.+)_ljspeech")
LANGUAGE = {"ljspeech": "en", "jsut": "ja"}


@dataclass(frozen=True, slots=True)
class WaveFake:
    """A folder a system: source is the folder's name, `family` the vocoder, `speaker` the voice it learned from.

    The corpus is Frank & Schönherr, "WaveFake: A Data Set to Facilitate Audio Deepfake Detection", NeurIPS 2021
    Datasets and Benchmarks (arXiv 2111.02813; zenodo.org/record/5642694). The layout is the one on which code that
    reads the archive `generated_audio.zip` agrees:

        generated_audio/{ljspeech,jsut}_{melgan,parallel_wavegan,...}/LJ001-0001_gen.wav
        generated_audio/common_voices_prompts_from_conformer_fastspeech2_pwg_ljspeech/gen_0.wav

    `text_id` is the recording copied, without `_gen`. The second copy of the last folder's clips, in its folder
    `generated`, is left out. There are no splits, and no genuine speech: that is LJSpeech and JSUT.
    """

    name: ClassVar[str] = "wavefake"

    def __call__(self, root: Path) -> Iterator[Mapping[str, str]]:
        """The rows; ManifestError where no folder bears the name of a system."""
        audio = dict.fromkeys(audio_in(files_below(root)))
        systems = {file: found for file in audio if (found := FOLDER.fullmatch(_folder(file).name))}
        if not systems:
            raise absent(
                root, "folder such as ljspeech_melgan", "unpack generated_audio.zip here, or use 'folders' for others"
            )
        for file, system in systems.items():
            if file.parent == _folder(file) or _folder(file) / file.name not in audio:
                yield _row(file, system)


def _folder(file: Path) -> Path:
    """The folder of a file's system."""
    return file.parent.parent if file.parent.name == "generated" else file.parent


def _row(file: Path, system: re.Match[str]) -> Mapping[str, str]:
    speaker = system[1] or "ljspeech"
    return {
        "path": str(file),
        "source": system[0],
        "task": "system",
        "speaker": speaker,
        "text_id": file.stem.removesuffix("_gen"),
        "corpus": "wavefake",
        "family": system[2] or system[3],
        "language": LANGUAGE[speaker],
    }
