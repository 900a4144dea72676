"""Synthesizers: programs and services that make reference clips, where they are installed."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import SkipTest

from earwitness.audio import read_clip
from earwitness.contracts import Synthesizer, Utterance, Voice
from earwitness.speaking.sentences import load_sentences
from earwitness.testing.bench import expect
from earwitness.types import Clip
from earwitness.windows import Cutter

__all__ = ["RULES", "SynthesizerBench"]

TRICKY = "--help; the file is $(touch tricked) & <b>`touch tricked`</b> 'tricked' -v"


class SynthesizerBench:
    """A synthesizer, and the clips that it spoke once for all rules."""

    def __init__(self, part: Any) -> None:
        self.part: Synthesizer = part
        self.speak = cache(self._speak)

    @property
    def voices(self) -> tuple[Voice, ...]:
        """Its voices; SkipTest with what brings it where it isn't installed."""
        if self.part.version() is None:
            raise SkipTest(f"{self.part.name} is not installed: {self.part.brings}")
        return self.part.voices()

    def _speak(self, text: str, voice: Voice, rate: float = 1.0) -> Clip:
        """A text, spoken into an empty folder, in which nothing else may lie then."""
        with TemporaryDirectory() as folder:
            file = Path(folder) / "speech.wav"
            self.part.speak(Utterance(text, voice, rate), file)
            left = sorted(each.name for each in Path(folder).iterdir())
            expect(left == [file.name], f"it leaves {', '.join(left) or 'nothing'} where speech.wav should be")
            return read_clip(file)

    def sentence(self, voice: Voice) -> str:
        """Something to say in a voice's language."""
        sentences = load_sentences()
        return sentences.get(voice.language, sentences["en"])[0].text


def expect_speech(clip: Clip, what: str) -> None:
    """Raise RuleError unless a clip could bear an answer: long enough, neither silent nor clipped to nothing."""
    cutter = Cutter(clip.rate, "clip", 1.0)
    list(cutter.hear(clip.samples))
    list(cutter.finish())
    expect(cutter.survey.abstention is None, f"{what}: {cutter.survey.abstention}")


def says_what_brings_it(bench: SynthesizerBench) -> None:
    """Says what installs it, and by which factors it can be faster or higher: the least <= 1 <= the greatest."""
    part = bench.part
    expect(bool(part.brings.strip()), "it does not say what brings it")
    for name, (least, greatest) in (("rates", part.rates), ("pitches", part.pitches)):
        expect(0 < least <= 1 <= greatest, f"its {name} are {least} to {greatest}")


def voices_have_names_and_languages(bench: SynthesizerBench) -> None:
    """Has voices, each of another name and with a language of two letters."""
    voices = bench.voices
    expect(bool(voices), "it is installed and has no voice")
    expect(len({voice.name for voice in voices}) == len(voices), "two of its voices have one name")
    strange = [v.name for v in voices if not (len(v.language) == 2 and v.language.isalpha() and v.language.islower())]
    expect(not strange, f"the language of {', '.join(strange[:3])} is not two letters")


def speaks_in_its_voices(bench: SynthesizerBench) -> None:
    """Makes speech that can be read and bears an answer, in its first voice and its last."""
    for voice in (bench.voices[0], bench.voices[-1]):
        expect_speech(bench.speak(bench.sentence(voice), voice), f"its speech in {voice.name}")


def text_is_only_text(bench: SynthesizerBench) -> None:
    """Speaks text that looks like options, commands or markup, and does nothing else with it."""
    expect_speech(bench.speak(TRICKY, bench.voices[0]), "its speech of tricky text")


def more_text_is_longer(bench: SynthesizerBench) -> None:
    """Speaks the whole text: a sentence three times over takes at least twice as long."""
    voice = bench.voices[0]
    text = bench.sentence(voice)
    once, thrice = (len(bench.speak(each, voice).samples) for each in (text, f"{text} {text} {text}"))
    expect(thrice > 2 * once, f"three sentences are {thrice / once:.1f} times as long as one")


def faster_is_shorter(bench: SynthesizerBench) -> None:
    """Speaks faster when asked to, as far as it says that it can."""
    voice, greatest = bench.voices[0], min(1.5, bench.part.rates[1])
    if greatest > 1:
        text = bench.sentence(voice)
        usual, fast = (len(bench.speak(text, voice, rate).samples) for rate in (1.0, greatest))
        expect(fast < usual, f"at a rate of {greatest} it is {fast / usual:.2f} times as long")


RULES = (
    says_what_brings_it,
    voices_have_names_and_languages,
    speaks_in_its_voices,
    text_is_only_text,
    more_text_is_longer,
    faster_is_shorter,
)
