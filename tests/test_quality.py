"""How well a clip can be heard, on sounds made to be so long, so wide and so noisy."""

import av
import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import butter, sosfilt

from earwitness.audio import read_clip
from earwitness.quality import MERITS, Gauge, lossless

RATE = 16000


def speechlike(seconds=6.0, noise_db=-50.0, rate=RATE, seed=0):
    """Noise at -20 dB that is switched on and off every half second, over steady noise."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    loud = 0.1 * rng.standard_normal(len(time)) * (time % 1 < 0.5)
    return (loud + 10 ** (noise_db / 20) * rng.standard_normal(len(time))).astype(np.float32)


def gauged(samples, rate=RATE, block=7000, lossless=True):
    gauge = Gauge(rate)
    for start in range(0, len(samples), block):
        gauge.hear(samples[start : start + block])
    return gauge.quality(lossless)


@pytest.mark.parametrize("noise_db", [-60, -50, -40, -30])
def test_depth_is_the_distance_from_speech_to_noise(noise_db):
    assert gauged(speechlike(noise_db=noise_db)).depth == pytest.approx(-20 - noise_db, abs=1.5)


@pytest.mark.parametrize("edge", [2000, 3400, 6000])
@pytest.mark.parametrize("rate", [16000, 44100])
def test_bandwidth_is_where_a_steep_filter_cuts(edge, rate):
    low = sosfilt(butter(20, edge, fs=rate, output="sos"), speechlike(rate=rate)).astype(np.float32)
    assert gauged(low, rate).bandwidth == pytest.approx(edge, rel=0.5)
    assert gauged(speechlike(rate=rate), rate).bandwidth == pytest.approx(rate / 2, rel=0.01)


def test_seconds_count_every_sample():
    assert gauged(speechlike(2.345)).seconds == pytest.approx(2.345)


def test_merits_are_shares_that_grow_with_quality():
    poor, good = gauged(speechlike(1.0, -30), lossless=False).merits, gauged(speechlike(12.0, -75)).merits
    assert len(poor) == len(MERITS)
    assert poor[0] == good[0] == 1
    assert (good >= poor).all()
    np.testing.assert_allclose(good, 1, atol=0.02)


@given(st.integers(0, 5000), st.sampled_from([0.0, 1.0, 1e-6]))
def test_nothing_and_silence_are_finite(count, level):
    found = gauged(np.full(count, level, np.float32))
    assert np.isfinite(found.merits).all()
    assert found.depth >= 0


@pytest.mark.parametrize(
    ("name", "options", "kept"),
    [
        ("a.wav", {"subtype": "PCM_16"}, True),
        ("a.wav", {"subtype": "FLOAT"}, True),
        ("a.flac", {}, True),
        ("a.wav", {"subtype": "ULAW"}, False),
        ("a.wav", {"subtype": "IMA_ADPCM"}, False),
        ("a.ogg", {}, False),
        ("a.mp3", {}, False),
    ],
)
def test_a_codec_keeps_every_sample_or_not(tmp_path, name, options, kept):
    soundfile.write(tmp_path / name, speechlike(1.0), RATE, **options)
    assert lossless(read_clip(tmp_path / name).origin.codec) == kept


@pytest.mark.parametrize("codec", ["pcm_s16le", "pcm_f32be", "flac", "alac", "wavpack", "pcm_alaw", "pcm_mulaw", "aac"])
def test_ffmpegs_codecs_are_known_by_their_names(codec):
    """FFmpeg itself says which of its codecs can lose nothing."""
    said = av.codec.Codec(codec, "r")
    assert lossless(codec) == said.lossless
