"""`lattice`: what it finds in a made decoder's sound and in a codec's, and how seldom in anything else."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.stats
import soxr

from earwitness.contracts import Tracer
from earwitness.types import Clip, Origin
from earwitness_cyclic import LatticeTracer
from earwitness_degradations import Codec

SOUNDS = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("cyclic_sounds.py"))))
MADE = {
    "22.05 kHz, hop 256": SOUNDS.HIFI_GAN,
    "24 kHz, hop 300": SOUNDS.KOKORO,
    "24 kHz, hop 256": SOUNDS.UNIVNET,
    "24 kHz, hop 320": (24000, (8, 5, 4, 2)),
}


def trace(samples, rate, alpha=0.01):
    origin = Origin("made.wav", "", "", "wav", "pcm", rate, 1, len(samples) / rate)
    return LatticeTracer(alpha)(Clip(samples.astype(np.float32), rate, origin))


def kinds(traces):
    return [each.kind for each in traces]


def test_it_is_a_tracer():
    assert isinstance(LatticeTracer(), Tracer)


@pytest.mark.parametrize("reading", MADE)
@pytest.mark.parametrize("seconds", [1.5, 4.0])
def test_a_decoder_is_read_from_its_lattice(reading, seconds):
    rate, factors = MADE[reading]
    first = trace(SOUNDS.decoder(rate, factors, seconds, 1), rate)[0]
    assert first.kind == "upsampling"
    assert first.reading.startswith(reading)
    assert first.spacing_hz == rate / np.prod(factors)
    assert first.p_value < 1e-5
    assert scipy.stats.norm.sf(first.z) < first.p_value  # which allows for all that was tried
    assert (first.start, first.end) == (0, seconds)
    assert len(first.lines) >= 3


def test_a_lattice_outlives_resampling():
    rate, factors = SOUNDS.KOKORO
    for other in (16000, 44100):
        sound = soxr.resample(SOUNDS.decoder(rate, factors, 4.0, 2), rate, other)
        assert trace(sound, other)[0].spacing_hz == 80.0


@pytest.mark.parametrize("reading", ["22.05 kHz, hop 256", "24 kHz, hop 300", "24 kHz, hop 256"])
@pytest.mark.parametrize(("factor", "played"), [(1.03, "3.0 % faster"), (0.97, "3.0 % slower")])
def test_a_change_of_speed_is_found_with_its_factor(reading, factor, played):
    rate, factors = MADE[reading]
    first = trace(soxr.resample(SOUNDS.decoder(rate, factors, 4.0, 1), rate * factor, rate), rate)[0]
    assert first.kind == "upsampling"
    assert first.reading.startswith(reading)
    assert first.reading.endswith(f"played {played}")
    assert first.spacing_hz == pytest.approx(factor * rate / np.prod(factors), rel=1e-3)


def test_a_splice_ends_where_it_ends():
    rate, factors = SOUNDS.KOKORO
    parts = [SOUNDS.speech(rate, 4.0, 1), SOUNDS.decoder(rate, factors, 6.0, 1), SOUNDS.speech(rate, 2.0, 2)]
    first = trace(np.concatenate(parts), rate)[0]
    assert first.spacing_hz == 80.0
    assert (first.start, first.end) == (4.0, 10.0)


@pytest.mark.parametrize(("sound", "count"), [("noise", 80), ("speech", 50), ("chirp", 40)])
def test_where_no_lattice_is_it_says_so_as_often_as_asked(sound, count):
    false = sum("upsampling" in kinds(trace(getattr(SOUNDS, sound)(16000, 1.2, s), 16000, 0.05)) for s in range(count))
    assert false <= scipy.stats.binom.ppf(0.99, count, 0.05)


def test_music_is_no_lattice():
    false = sum("upsampling" in kinds(trace(SOUNDS.music(16000, 2.0, seed), 16000, 0.05)) for seed in range(15))
    assert false <= scipy.stats.binom.ppf(0.99, 15, 0.05)


def test_a_note_held_is_no_lattice():
    time = np.arange(3 * 16000) / 16000
    for pitch in (440.0, 880.0, 4 * 86.1328125, 400.0):  # two of them the fourth or fifth line of a lattice
        note = sum(np.sin(2 * np.pi * k * pitch * time) / k for k in range(1, int(8000 / pitch)))
        assert "upsampling" not in kinds(trace(0.1 * note + SOUNDS.noise(16000, 3.0, 0) / 10, 16000))


@pytest.mark.parametrize("rate", [44100, 48000])
@pytest.mark.parametrize("sound", ["noise", "speech"])
def test_frames_of_aac_are_named_as_a_codec(rate, sound):
    coded = Codec(codec="aac")(getattr(SOUNDS, sound)(rate, 4.0, 3), rate, np.random.default_rng(0))
    traces = trace(coded, rate)
    assert set(kinds(traces)) == {"codec"}  # though every other line is 44.1 kHz, hop 512 or 48 kHz, hop 512
    assert traces[0].reading == f"AAC at {rate / 1000:g} kHz, frames of 1024"


@pytest.mark.parametrize("rate", [24000, 44100])
def test_subbands_of_mp3_are_named_as_a_codec(rate):
    coded = Codec(codec="mp3")(SOUNDS.noise(rate, 8.0, 3), rate, np.random.default_rng(0))
    traces = trace(coded, rate)
    assert kinds(traces) == ["codec"]
    assert traces[0].reading == f"MP3 at {rate / 1000:g} kHz, frames of 576"


@pytest.mark.parametrize("rate", [16000, 22050, 24000, 44100, 48000])
def test_mp3_is_never_a_vocoder(rate):
    for seed in range(3):
        coded = Codec(codec="mp3")(SOUNDS.speech(rate, 3.0, seed), rate, np.random.default_rng(seed))
        assert "upsampling" not in kinds(trace(coded, rate))


def test_opus_is_named():
    coded = Codec(codec="opus")(SOUNDS.speech(48000, 4.0, 3), 48000, np.random.default_rng(0))
    assert trace(coded, 48000)[0].reading == "Opus at 48 kHz, frames of 960"


def test_a_lattice_shows_through_a_codec():
    rate, factors = SOUNDS.KOKORO
    coded = Codec(codec="mp3")(SOUNDS.decoder(rate, factors, 4.0, 2), rate, np.random.default_rng(0))
    assert 80.0 in [each.spacing_hz for each in trace(coded, rate)]


@pytest.mark.parametrize("samples", [np.zeros(0), np.zeros(1), np.zeros(32000), np.ones(32000), np.full(5000, 0.5)])
def test_in_nothing_nothing_is_found(samples):
    assert trace(samples, 16000) == ()


def test_the_same_clip_gives_the_same_traces():
    sound = SOUNDS.decoder(*SOUNDS.UNIVNET, 2.0, 3)
    assert trace(sound, 24000) == trace(sound, 24000)
