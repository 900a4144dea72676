"""Corpora of synthetic speech: what is to be said in which voice, and the clips of it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import chain
from math import log
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import numpy as np
import soundfile

from earwitness.audio import read_clip
from earwitness.contracts import Synthesizer, Utterance, Voice
from earwitness.errors import AudioError, OptionError, SynthesisError
from earwitness.manifest import Split
from earwitness.speaking.sentences import SPLITS, Sentence, load_sentences
from earwitness.types import Clip

__all__ = ["Take", "plan_takes", "speak_takes"]

T = TypeVar("T")

SHORTEST = 0.2  # seconds that a sentence takes at least
FAINTEST = 1e-3  # a peak under this is silence
SHOWN = 8  # voices that an error names


@dataclass(frozen=True, slots=True)
class Take:
    """One clip of a corpus: its `file`, the sentence and how it is spoken; `made` says by what program."""

    file: Path
    sentence: Sentence
    utterance: Utterance
    source: str
    program: str

    @property
    def made(self) -> str:
        """How it was made, as one line."""
        how = self.utterance
        return f"{self.program}, {how.voice.name}, {self.sentence.id}, rate {how.rate}, pitch {how.pitch}"

    @property
    def row(self) -> Mapping[str, str]:
        """Its line in a manifest.

        There is no `speaker`, which may not span splits: a voice speaks in all of them.
        """
        how = self.utterance
        return {
            "path": str(self.file.absolute()),
            "source": self.source,
            "task": "system",
            "split": self.sentence.split,
            "text_id": self.sentence.id,
            "voice": how.voice.name,
            "language": how.voice.language,
            "rate": str(how.rate),
            "pitch": str(how.pitch),
            "made": self.made,
        }


def plan_takes(
    synthesizer: Synthesizer,
    count: int,
    folder: Path,
    *,
    seed: int = 0,
    voices: Sequence[str] = ("*",),
    source: str | None = None,
) -> list[Take]:
    """Who says what, how fast and how high.

    All voices take their turns. Of five takes in a row three are to train on, one is for development and one to test
    on, and a language's sentences of a split have all been said before one is said again. Rate and pitch are even on
    a logarithmic scale over what the synthesizer allows.

    Args:
        synthesizer: Who is going to speak.
        count: How many takes.
        folder: Where their files will be.
        seed: The same seed, the same takes.
        voices: Names or patterns, as en-us or en*; a voice that fits one of them takes part.
        source: The source id of all takes, in place of the voices' own.

    Raises:
        SynthesisError: The synthesizer is not installed, or lists no voices.
        OptionError: No voice fits, or none has sentences in its language.
    """
    program, rng = _program(synthesizer), np.random.default_rng(seed)
    turns, splits = _endless(_chosen(synthesizer, voices), rng), _endless(SPLITS, rng)
    decks = {key: _endless(sentences, rng) for key, sentences in _by_language_and_split().items()}
    takes = []
    for k, voice, split in zip(range(count), turns, splits, strict=False):
        sentence, file = next(decks[voice.language, split]), folder / f"{synthesizer.name}-{k:05}.flac"
        how = Utterance(sentence.text, voice, _factor(synthesizer.rates, rng), _factor(synthesizer.pitches, rng))
        takes.append(Take(file, sentence, how, source or voice.source or synthesizer.name, program))
    return takes


def _program(synthesizer: Synthesizer) -> str:
    """The name and version of a synthesizer; SynthesisError with what brings it where it is missing."""
    version = synthesizer.version()
    if version is None:
        raise SynthesisError(f"{synthesizer.name} is not installed; what brings it: {synthesizer.brings}")
    return f"{synthesizer.name} {version}"


def _chosen(synthesizer: Synthesizer, patterns: Sequence[str]) -> list[Voice]:
    """The voices that fit a pattern and have something to say."""
    offered, known = synthesizer.voices(), load_sentences()
    if not offered:
        raise SynthesisError(f"{synthesizer.name} has no voices here; what brings some: {synthesizer.brings}")
    fitting = [voice for voice in offered if any(fnmatchcase(voice.name, pattern) for pattern in patterns)]
    if not fitting:
        some = ", ".join(voice.name for voice in offered[:SHOWN])
        raise OptionError(f"no voice of {synthesizer.name} fits {' or '.join(patterns)}: it has {some} ...")
    speaking = [voice for voice in fitting if voice.language in known]
    if not speaking:
        raise OptionError(f"there are no sentences in {fitting[0].language!r}, only in {', '.join(known)}")
    return speaking


def _by_language_and_split() -> dict[tuple[str, Split], list[Sentence]]:
    """The sentences that a voice may say in a split."""
    found: dict[tuple[str, Split], list[Sentence]] = {}
    for sentence in chain.from_iterable(load_sentences().values()):
        found.setdefault((sentence.language, sentence.split), []).append(sentence)
    return found


def _endless(items: Sequence[T], rng: np.random.Generator) -> Iterator[T]:
    """All of them in a random order, and again in another."""
    while True:
        yield from (items[k] for k in rng.permutation(len(items)))


def _factor(limits: tuple[float, float], rng: np.random.Generator) -> float:
    """A factor between two limits, rounded so that the manifest says exactly what was asked for."""
    low, high = limits
    return round(float(np.exp(rng.uniform(log(low), log(high)))), 2)


def speak_takes(synthesizer: Synthesizer, takes: Iterable[Take]) -> Iterator[tuple[Take, str | None]]:
    """Have each take spoken into its file, one after another; what went wrong with it, or None."""
    for take in takes:
        try:
            _write_flac(take.file, _spoken(synthesizer, take.utterance))
        except (SynthesisError, AudioError) as error:
            yield take, str(error)
        else:
            yield take, None


def _spoken(synthesizer: Synthesizer, utterance: Utterance) -> Clip:
    """One utterance; SynthesisError unless there is something to hear."""
    with TemporaryDirectory(prefix="earwitness-") as folder:
        file = Path(folder) / "speech"
        synthesizer.speak(utterance, file)
        if not file.is_file():
            raise SynthesisError(f"{synthesizer.name} wrote no sound for {utterance.voice.name}: try it by hand")
        clip = read_clip(file)
    if len(clip.samples) < SHORTEST * clip.rate or np.abs(clip.samples).max() < FAINTEST:
        raise SynthesisError(f"{synthesizer.name} gave silence for {utterance.voice.name}: leave that voice out")
    return clip


def _write_flac(file: Path, clip: Clip) -> None:
    """16 bits at the native rate; integers, since libsndfile would scale floats and so change every sample."""
    samples = np.rint(clip.samples * 32768.0).clip(-32768, 32767).astype(np.int16)  # (n,)
    soundfile.write(file, samples, clip.rate, subtype="PCM_16", format="FLAC")
