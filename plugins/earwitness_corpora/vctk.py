"""`vctk`: the CSTR VCTK corpus: genuine speech of 110 speakers of English."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from earwitness_corpora._files import clips_named

CLIP = re.compile(r"([ps]\d+)_(\d+)(?:_(mic[12]))?")
SHARED = 24
"""The last utterance of the elicitation paragraph and the rainbow passage, which all speakers read."""


@dataclass(frozen=True, slots=True)
class VCTK:
    """Utterances by speaker, all of the source `genuine`.

    The corpus is Yamagishi, Veaux & MacDonald, "CSTR VCTK Corpus: English Multi-speaker Corpus for CSTR Voice Cloning
    Toolkit (version 0.92)", University of Edinburgh, 2019 (doi 10.7488/ds/2645). The layouts are those that
    torchaudio's loaders VCTK_092 and, before 0.92, VCTK read:

        wav48_silence_trimmed/p225/p225_001_mic1.flac       two microphones, but of p280 and p315 one
        wav48/p225/p225_001.wav

    The elicitation paragraph and the rainbow passage, which all speakers read, share a `text_id`; the other texts are a
    speaker's own. That they are the utterances 1 to 24 is common knowledge, and could not be verified with the corpus.
    There are no splits.

    Args:
        microphone: Which of the two recordings of an utterance; `both` lists it twice.
    """

    name: ClassVar[str] = "vctk"
    microphone: Literal["mic1", "mic2", "both"] = "mic1"

    def __call__(self, root: Path) -> Iterator[Mapping[str, str]]:
        """The rows; ManifestError where no file is named in this way."""
        for file, found in clips_named(root, CLIP, "p225_001_mic1.flac or p225_001.wav", "use 'folders' for others"):
            if self.microphone in ("both", found[3] or self.microphone):
                yield _row(file, found[1], int(found[2]), found[3] or "")


def _row(file: Path, speaker: str, number: int, microphone: str) -> Mapping[str, str]:
    return {
        "path": str(file),
        "source": "genuine",
        "task": "system",
        "speaker": speaker,
        "text_id": f"{number:03}" if number <= SHARED else f"{speaker}_{number:03}",
        "corpus": "vctk",
        "language": "en",
        "microphone": microphone,
    }
