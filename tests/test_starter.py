"""The registry that ships: it names what it knows in clips it never heard, refuses the rest, and stays as it is."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

import earwitness
from earwitness.places import starter_folder

DATA = Path(__file__).parent / "data"
SOURCES = {
    "espeak-ng-formant",
    "espeak-ng-klatt",
    "espeak148-formant",
    "espeak148-klatt",
    "festival-diphone",
    "festival-hts",
    "flite-clustergen",
    "flite-diphone",
    "genuine",
    "griffin-lim",
    "hibari",
    "kokoro",
    "piper",
    "sam",
    "world",
}


DEVICES = {
    "audio-technica-ath-102usb",
    "jabra-evolve-20",
    "logicool-h340",
    "logicool-h390",
    "turtle-beach-recon-air",
}


@pytest.fixture(autouse=True)
def nobodys_home(monkeypatch, tmp_path):
    monkeypatch.delenv("EARWITNESS_REGISTRY", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))


def digests() -> dict[str, str]:
    files = sorted(path for path in starter_folder().rglob("*") if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize("source", ["sam", "piper", "kokoro"])
def test_it_names_what_it_knows(source):
    with earwitness.open() as engine:
        (verdict,) = engine.identify(DATA / f"{source}.flac", "system")
    assert (verdict.verdict, verdict.source) == ("known", source)
    assert verdict.probability > 0.5
    assert source in {reference.source for reference in verdict.evidence}
    assert {share.expert for share in verdict.experts} == {"cyclic", "dynamics", "dynamics-wide", "lattice", "residual"}


def test_it_refuses_a_system_it_never_met():
    with earwitness.open() as engine:
        (verdict,) = engine.identify(DATA / "matcha.mp3", "system")
    assert (verdict.verdict, verdict.source) == ("unknown", None)
    assert verdict.unknown_probability > 0.5


def test_it_names_a_headset_that_it_knows():
    with earwitness.open() as engine:
        (verdict,) = engine.identify(DATA / "headset.flac", "device")
    assert (verdict.verdict, verdict.source) == ("known", "logicool-h390")


@pytest.mark.parametrize("clip", ["sam.flac", "piper.flac", "kokoro.flac", "matcha.mp3"])
def test_speech_that_no_microphone_recorded_is_of_no_known_device(clip):
    with earwitness.open() as engine:
        verdicts = {verdict.task: verdict for verdict in engine.identify(DATA / clip)}
    assert set(verdicts) == {"system", "device"}
    assert verdicts["device"].source is None


def test_its_sources_are_the_ids_of_the_manifests_and_it_is_sound_and_small():
    with earwitness.open() as engine:
        assert {card.id for card in engine.registry.cards()} == SOURCES | DEVICES
        assert engine.registry.verify() == []
        calibration = engine.judge("system").calibration
    assert not SOURCES & set(calibration.stranger_sources)
    assert sum(path.stat().st_size for path in starter_folder().rglob("*") if path.is_file()) < 20_000_000


def test_no_test_clip_is_enrolled():
    with earwitness.open() as engine:
        enrolled = {clip.sha256 for source in SOURCES | DEVICES for clip in engine.registry.clips(source)}
    assert enrolled.isdisjoint(hashlib.sha256(path.read_bytes()).hexdigest() for path in DATA.iterdir())


def test_answering_leaves_it_as_it_was():
    before = digests()
    clips = [*DATA.glob("*.flac"), *DATA.glob("*.mp3")]
    command = [Path(sys.executable).parent / "earwitness", "identify", "--json", *clips]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert {verdict["verdict"] for verdict in json.loads(answer.stdout)} <= {"known", "unknown"}
    assert digests() == before
