"""Corpora spoken by a made synthesizer: who says what, the clips, the manifest, and all the way into a registry."""

import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import soundfile

from earwitness.audio import read_clip
from earwitness.contracts import Synthesizer, Voice
from earwitness.errors import OptionError, SynthesisError
from earwitness.manifest import check_leaks, read_manifest
from earwitness.speaking.making import plan_takes, speak_takes
from earwitness.speaking.sentences import load_sentences
from earwitness_registry import Registry

RATE = 22050
CODE = '''
"""A synthesizer that hums: at its voice's pitch, a tenth of a second a word."""

import zlib
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import soundfile

from earwitness import hookimpl
from earwitness.contracts import Voice
from earwitness.errors import SynthesisError
from earwitness.types import Card


@dataclass(frozen=True, slots=True)
class Acme:
    name: ClassVar[str] = "acme"
    brings: ClassVar[str] = "apt install acme"
    rates: ClassVar[tuple[float, float]] = (0.5, 2.0)
    pitches: ClassVar[tuple[float, float]] = (0.8, 1.25)
    installed: bool = True
    broken: str = "none"

    def version(self):
        return "2.1" if self.installed else None

    def voices(self):
        return (Voice("anna", "de"), Voice("bo", "en"), Voice("cy", "en", "acme-old"), Voice("dag", "sv"))

    def speak(self, utterance, file):
        if utterance.voice.name == self.broken or self.broken == "all":
            raise SynthesisError("acme lost its voice: give it tea")
        rng = np.random.default_rng(zlib.crc32(utterance.text.encode()))
        time = np.arange(round(22050 * 0.2 * len(utterance.text) / utterance.rate / 8)) / 22050
        sound = 0.9 * np.sin(2 * np.pi * 150 * utterance.pitch * time) * rng.uniform(0.1, 1.0, len(time))
        soundfile.write(file, (32767 * sound).astype(np.int16), 22050, format="WAV")


@hookimpl
def register_synthesizers():
    return [Acme]


@hookimpl
def register_sources():
    return [Card("acme-old", family="humming", vendor="Acme")]
'''


@pytest.fixture
def acme(install, call):
    """Run the command line with the synthesizer installed."""
    install("acme-hums", CODE)
    return call


@dataclass(frozen=True, slots=True)
class Fixed:
    """A synthesizer that always answers with one sound, or with none."""

    name: ClassVar[str] = "fixed"
    brings: ClassVar[str] = "nothing"
    rates: ClassVar[tuple[float, float]] = (0.8, 1.25)
    pitches: ClassVar[tuple[float, float]] = (1.0, 1.0)
    sound: np.ndarray | None = None
    names: tuple[str, ...] = ("solo",)

    def version(self):
        return "1"

    def voices(self):
        return tuple(Voice(name, "en") for name in self.names)

    def speak(self, _utterance, file):
        if self.sound is not None:
            soundfile.write(file, self.sound, RATE, format="WAV")


def spoken(synthesizer, folder, count=1):
    return list(speak_takes(synthesizer, plan_takes(synthesizer, count, folder)))


# Sentences


def test_there_are_ten_languages_of_different_sentences_three_of_five_to_train_on():
    languages = load_sentences()
    assert len(languages) == 10
    everything = [sentence for own in languages.values() for sentence in own]
    assert len({sentence.id for sentence in everything}) == len({sentence.text for sentence in everything}) == 150
    for language, own in languages.items():
        assert {sentence.language for sentence in own} == {language}
        assert Counter(sentence.split for sentence in own) == {"train": 9, "dev": 3, "test": 3}
        assert all(sentence.text == " ".join(sentence.text.split()) for sentence in own)


def test_old_engines_can_read_their_languages():
    languages = load_sentences()
    assert all(sentence.text.isascii() for sentence in languages["en"])
    for language in ("es", "it"):
        assert all(sentence.text.encode("latin-1") for sentence in languages[language])
    assert not [s.text for s in languages["ja"] if re.search("[\u4e00-\u9fff]", s.text)]
    assert all(re.search("[\u4e00-\u9fff]", sentence.text) for sentence in languages["zh"])
    assert all(re.search("[а-яё]", sentence.text) for sentence in languages["ru"])


# The plan


def test_a_plan_is_its_seeds_alone_and_takes_its_factors_from_the_synthesizer():
    one, same, other = (plan_takes(Fixed(), 100, Path("x"), seed=seed) for seed in (1, 1, 2))
    assert one == same != other
    rates = [take.utterance.rate for take in one]
    assert 0.8 <= min(rates) < 0.85 < 1.2 < max(rates) <= 1.25
    assert {take.utterance.pitch for take in one} == {1.0}
    assert rates == [round(rate, 2) for rate in rates]
    assert abs(np.log(rates).mean()) < 0.05


def test_voices_take_turns_and_sentences_are_all_said_before_one_is_said_again():
    takes = plan_takes(Fixed(names=("a", "b", "c")), 15, Path("x"))
    assert set(Counter(take.utterance.voice.name for take in takes).values()) == {5}
    assert len({take.sentence.id for take in takes}) == 15
    longer = plan_takes(Fixed(names=("a", "b", "c")), 150, Path("x"))
    assert set(Counter(take.sentence.id for take in longer).values()) == {10}
    for start in range(0, 150, 5):
        splits = Counter(take.sentence.split for take in longer[start : start + 5])
        assert splits == {"train": 3, "dev": 1, "test": 1}
    for name in "abc":
        assert {take.sentence.split for take in longer if take.utterance.voice.name == name} == {"train", "dev", "test"}


def test_voices_are_chosen_by_patterns():
    synthesizer = Fixed(names=("en-us", "en-us+f1", "de"))
    takes = plan_takes(synthesizer, 10, Path("x"), voices=("en*",), source="acme/one")
    assert {take.utterance.voice.name for take in takes} == {"en-us", "en-us+f1"}
    assert {take.source for take in takes} == {"acme/one"}
    with pytest.raises(OptionError, match=r"no voice of fixed fits xx\*: it has en-us, en-us\+f1, de"):
        plan_takes(synthesizer, 10, Path("x"), voices=("xx*",))
    with pytest.raises(SynthesisError, match="fixed has no voices here"):
        plan_takes(Fixed(names=()), 10, Path("x"))


# The clips


def test_the_made_synthesizer_keeps_the_contract():
    assert isinstance(Fixed(), Synthesizer)


def test_a_clip_holds_the_very_samples_that_were_spoken(tmp_path):
    sound = np.random.default_rng(0).integers(-32768, 32768, RATE).astype(np.int16)
    ((take, problem),) = spoken(Fixed(sound), tmp_path)
    assert problem is None
    kept, rate = soundfile.read(take.file, dtype="int16")
    np.testing.assert_array_equal(kept, sound)
    assert (rate, soundfile.info(take.file).subtype, soundfile.info(take.file).format) == (RATE, "PCM_16", "FLAC")


@pytest.mark.parametrize(
    ("sound", "said"),
    [
        (None, "fixed wrote no sound for solo: try it by hand"),
        (np.zeros(RATE, np.int16), "fixed gave silence for solo: leave that voice out"),
        (np.full(RATE // 10, 9999, np.int16), "fixed gave silence for solo: leave that voice out"),
    ],
)
def test_what_can_not_be_heard_is_a_failure(tmp_path, sound, said):
    ((take, problem),) = spoken(Fixed(sound), tmp_path)
    assert problem == said
    assert not take.file.exists()


# The commands


def test_make_writes_clips_and_a_manifest_that_keeps_texts_apart(acme, tmp_path):
    done = acme("corpus", "make", "--system", "acme", "--count", "40", "--out", tmp_path / "one", "--json")
    assert done.code == 0, done.err
    manifest = read_manifest(tmp_path / "one" / "manifest.csv")
    assert json.loads(done.out)["clips"] == len(manifest.rows) == 40
    assert check_leaks(manifest) == []
    assert Counter(row.split for row in manifest.rows) == {"train": 24, "dev": 8, "test": 8}
    assert {(row.source, row.columns["voice"]) for row in manifest.rows} == {
        ("acme", "anna"),
        ("acme", "bo"),
        ("acme-old", "cy"),
    }
    for row in manifest.rows:
        assert row.task == "system"
        assert row.columns["text_id"].startswith("de-" if row.voice == "anna" else "en-")
        said = ("acme 2.1", row.voice, row.columns["text_id"], row.columns["rate"], row.columns["pitch"])
        assert row.columns["made"] == "{}, {}, {}, rate {}, pitch {}".format(*said)
    assert not Path(manifest.rows[0].columns["path"]).is_absolute()
    again = acme("corpus", "make", "--system", "acme", "--count", "40", "--out", tmp_path / "two")
    assert "acme-old" in again.out
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()


def test_make_varies_what_is_heard(acme, tmp_path):
    acme("corpus", "make", "--system", "acme", "--count", "8", "--out", tmp_path / "x", "--voice", "bo")
    for row in read_manifest(tmp_path / "x" / "manifest.csv").rows:
        clip = read_clip(row.path)
        spectrum = np.abs(np.fft.rfft(clip.samples))
        hertz = np.argmax(spectrum) * clip.rate / len(clip.samples)
        assert hertz == pytest.approx(150 * float(row.columns["pitch"]), abs=1.0)


def test_make_goes_on_past_failures_and_says_how_many(acme, tmp_path):
    make = ("corpus", "make", "--system", "acme", "--count", "9", "--out")
    done = acme(*make, tmp_path / "x", "--set", "broken=bo")
    assert done.code == 0
    assert "3 of 9 failed; first: acme lost its voice: give it tea" in done.err
    assert {row.voice for row in read_manifest(tmp_path / "x" / "manifest.csv").rows} == {"anna", "cy"}
    done = acme(*make, tmp_path / "y", "--set", "broken=all")
    assert (done.code, "9 of 9 failed" in done.err) == (2, True)
    assert not (tmp_path / "y" / "manifest.csv").exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--set", "installed=false"), "acme is not installed; what brings it: apt install acme"),
        (("--set", "tone=3"), "synthesizer 'acme' has no parameter 'tone'; it has installed, broken"),
        (("--voice", "dag"), "there are no sentences in 'sv', only in en, de"),
        (("--system", "acne"), "no plugin offers the synthesizer 'acne'; did you mean acme"),
    ],
)
def test_make_says_what_is_missing_and_leaves_nothing(acme, tmp_path, more, said):
    done = acme("corpus", "make", "--system", "acme", "--out", tmp_path / "x", *more)
    assert done.code == 2
    assert said in done.err
    assert not (tmp_path / "x").exists()


def test_make_writes_over_no_corpus(acme, tmp_path):
    (tmp_path / "manifest.csv").write_text("path\n")
    done = acme("corpus", "make", "--system", "acme", "--out", tmp_path)
    assert (done.code, "choose another folder" in done.err) == (2, True)
    assert (tmp_path / "manifest.csv").read_text() == "path\n"
    done = acme("corpus", "make", "--system", "acme", "--out", tmp_path / "manifest.csv")
    assert (done.code, "manifest.csv can't be made (File exists)" in done.err) == (2, True)


def test_list_says_what_is_here_and_what_brings_the_rest(acme, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "flite").write_text("#!/bin/sh\necho no such library >&2\nexit 127\n")
    (tmp_path / "flite").chmod(0o755)
    listed = json.loads(acme("corpus", "list", "--json").out)
    found = {each["name"]: each for each in listed["synthesizers"]}
    assert found["acme"] == {
        "name": "acme",
        "version": "2.1",
        "brings": "apt install acme",
        "voices": 4,
        "languages": ["de", "en", "sv"],
        "problem": None,
    }
    assert (found["espeak-ng"]["version"], found["espeak-ng"]["brings"]) == (None, "apt install espeak-ng")
    assert found["flite"]["problem"] == "flite failed with exit code 127: no such library"
    assert isinstance(listed["corpora"], list)
    text = acme("corpus", "list").out
    assert re.search(r"^acme +2\.1 +4 +de en sv$", text, re.MULTILINE)
    assert re.search(r"^espeak-ng +missing +0 +apt install espeak-ng$", text, re.MULTILINE)


# Into a registry


def test_enroll_has_clips_spoken_and_keeps_how_they_were_made(acme, registry_copy):
    enroll = ("enroll", "--synthesize", "acme", "--count", "6", "--registry", registry_copy)
    done = acme(*enroll, "--json")
    assert done.code == 0, done.err
    outcomes = json.loads(done.out)
    assert Counter((each["source"], each["outcome"]) for each in outcomes) == {
        ("acme", "added"): 4,
        ("acme-old", "added"): 2,
    }
    with Registry.open(registry_copy, read_only=True) as registry:
        assert registry.card("acme-old").family == "humming"
        clips = registry.clips("acme")
    assert {clip.cell for clip in clips} == {"anna", "bo"}
    for clip in clips:
        assert clip.origin["made"] == clip.path
        assert re.fullmatch(r"acme 2\.1, (anna|bo), (de|en)-\d\d, rate [\d.]+, pitch [\d.]+", clip.path)
    assert {each["outcome"] for each in json.loads(acme(*enroll, "--json").out)} == {"already enrolled"}


def test_enroll_calls_them_what_it_is_told(acme, registry_copy):
    more = ("--count", "2", "--voice", "cy", "--registry", registry_copy)
    done = acme("enroll", "acme/two", "--synthesize", "acme", *more, "--json")
    assert {each["source"] for each in json.loads(done.out)} == {"acme/two"}


def test_enroll_from_a_made_manifest_keeps_how_clips_were_made(acme, registry_copy, tmp_path):
    acme("corpus", "make", "--system", "acme", "--count", "5", "--out", tmp_path / "x", "--voice", "bo")
    manifest = tmp_path / "x" / "manifest.csv"
    done = acme("enroll", "--manifest", manifest, "--split", "dev", "--registry", registry_copy)
    assert done.code == 0, done.err
    with Registry.open(registry_copy, read_only=True) as registry:
        (clip,) = registry.clips("acme")
    assert clip.origin["made"].startswith("acme 2.1, bo, en-")
    assert clip.path.startswith("acme-0000")


def test_enroll_takes_one_kind_of_clips(acme, registry_copy, tmp_path):
    for more in (("--manifest", tmp_path / "m.csv"), ("acme", tmp_path / "a.wav")):
        done = acme("enroll", *more, "--synthesize", "acme", "--registry", registry_copy)
        assert done.code == 2
        assert "give either SOURCE and its clips, or --manifest FILE, or --synthesize NAME" in done.err
