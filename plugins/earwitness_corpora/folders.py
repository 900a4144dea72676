"""`folders`: any corpus with a folder a class."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from earwitness.errors import ManifestError
from earwitness_corpora._files import absent, audio_in, files_below, split_of


@dataclass(frozen=True, slots=True)
class Folders:
    """Audio at any depth below a folder named after what made it; `unknown` stands for no known source.

    Where all folders at the top are splits (train, dev, valid, test, eval ...), the classes are the folders in them:

        <source>/.../a.wav
        {train,dev,test}/<source>/.../a.wav

    Args:
        task: The question that the sources answer; empty for both.
    """

    name: ClassVar[str] = "folders"
    task: Literal["", "system", "device"] = ""

    def __call__(self, root: Path) -> Iterator[Mapping[str, str]]:
        """The rows; ManifestError where there is no audio, or some of it lies in no class."""
        audio = audio_in(files_below(root))
        if not audio:
            raise absent(root, "file of audio", "unpack archives first; audio is told by its ending, such as .wav")
        depth = int(all(split_of(file.relative_to(root).parts[0]) for file in audio))
        for file in audio:
            parts = file.relative_to(root).parts
            if len(parts) < depth + 2:
                raise ManifestError(f"{file} lies in no class; move it into a folder named after what made it")
            yield {
                "path": str(file),
                "source": parts[depth],
                "task": self.task,
                "split": split_of(parts[0]) if depth else "",
                "corpus": root.name,
            }
