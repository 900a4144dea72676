"""Frontends against torchaudio, librosa and formulas, and the rules that every frontend keeps."""

import pickle

import librosa
import numpy as np
import pytest
import torch
import torchaudio

from earwitness.errors import OptionError
from earwitness_frontends import FRONTENDS, BandResidual, Lfcc, LogMel, Mfcc, Residual, Waveform, register_frontends
from earwitness_frontends._cepstrum import deltas
from earwitness_frontends._filterbank import triangles
from earwitness_frontends._spectrum import fft_length

RATE = 16_000
SPECTRAL = [Lfcc(), Mfcc(), LogMel()]
ALL = [*SPECTRAL, BandResidual(), Residual(), Waveform()]


def speech_like(seconds=1.0, rate=RATE, seed=0):
    """A gliding harmonic voice with pauses, over faint noise, (n,)."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    phase = 2 * np.pi * np.cumsum(120 + 30 * np.sin(2 * np.pi * 2 * time)) / rate
    voice = sum(np.sin(k * phase) / k for k in range(1, 20)) * (np.sin(2 * np.pi * 3 * time) > 0)
    return (0.1 * voice + 1e-3 * rng.standard_normal(time.size)).astype(np.float32)


def noise(seconds=1.0, seed=0):
    return (0.1 * np.random.default_rng(seed).standard_normal(round(seconds * RATE))).astype(np.float32)


def agrees(found, expected):
    """To 1e-4 of the largest expected value."""
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("samples", [noise(), speech_like()], ids=["noise", "speech"])
def test_lfcc_is_that_of_a_float64_formula(samples):
    frames = np.lib.stride_tricks.sliding_window_view(samples.astype(np.float64), 400)[::160]
    window = 0.54 - 0.46 * np.cos(2 * np.pi * np.arange(400) / 400)
    power = np.abs(np.fft.fft(frames * window)[:, :201]) ** 2
    bank = torchaudio.functional.linear_fbanks(201, 0.0, 8000.0, 20, RATE).numpy()
    logs = np.log(np.maximum(power @ bank.astype(np.float64), 1e-10))
    static = logs @ torchaudio.functional.create_dct(20, 20, "ortho").double().numpy()
    delta = torchaudio.functional.compute_deltas(torch.from_numpy(static.T))
    double = torchaudio.functional.compute_deltas(delta)
    agrees(Lfcc()(samples[None], RATE)[0], np.hstack([static, delta.T.numpy(), double.T.numpy()]))


def test_lfcc_is_torchaudio_s():
    spectrum = {"n_fft": 400, "hop_length": 160, "center": False, "window_fn": torch.hamming_window}
    theirs = torchaudio.transforms.LFCC(RATE, n_filter=20, n_lfcc=20, log_lf=True, speckwargs=spectrum)
    samples = noise()  # so loud that torchaudio's 1e-6 under the logarithm says nothing
    agrees(Lfcc()(samples[None], RATE)[0, :, :20], theirs(torch.from_numpy(samples)).T.numpy())


@pytest.mark.parametrize("samples", [noise(), speech_like()], ids=["noise", "speech"])
@pytest.mark.parametrize("low", [0.0, 60.0])
def test_log_mel_and_mfcc_are_librosa_s(samples, low):
    mel = librosa.feature.melspectrogram(
        y=samples, sr=RATE, n_fft=400, hop_length=160, center=False, window="hamming",
        n_mels=40, fmin=low, htk=True, norm=None,
    )  # fmt: skip
    logs = np.log(np.maximum(mel, 1e-10))
    agrees(LogMel(filters=40, low=low)(samples[None], RATE)[0], logs.T)
    agrees(Mfcc(low=low)(samples[None], RATE)[0], librosa.feature.mfcc(S=logs, n_mfcc=40).T)


@pytest.mark.parametrize(("rate", "filters"), [(8000, 20), (16_000, 80), (44_100, 40)])
def test_mel_triangles_are_librosa_s(rate, filters):
    n_fft = fft_length(rate // 40)
    theirs = librosa.filters.mel(sr=rate, n_fft=n_fft, n_mels=filters, htk=True, norm=None)
    np.testing.assert_allclose(triangles("mel", filters, rate, n_fft, 0.0, None), theirs.T, atol=1e-5)


def test_every_default_band_hears_something():
    for scale, filters in (("linear", 20), ("mel", 40), ("mel", 80)):
        assert (triangles(scale, filters, RATE, 400, 0.0, None).sum(axis=0) > 0.1).all()


def test_delta_of_a_straight_line_is_its_slope():
    line = np.arange(10, dtype=np.float32)[None, :, None] * 3
    np.testing.assert_allclose(deltas(line)[0, 2:-2, 0], 3.0)


@pytest.mark.parametrize("length", [1, 7, 400, 401, 551, 1102, 1103])
def test_fft_length_is_the_next_with_small_factors(length):
    found = fft_length(length)
    smooth = {2**a * 3**b * 5**c for a in range(12) for b in range(8) for c in range(6)}
    assert found == min(size for size in smooth if size >= length)


@pytest.mark.parametrize("part", ALL, ids=lambda part: part.name)
def test_a_window_does_not_depend_on_its_batch(part):
    batch = np.stack([noise(seed=seed) if seed % 2 else speech_like(seed=seed) for seed in range(5)])
    together = part(batch, RATE)
    for row, window in enumerate(batch):
        assert np.array_equal(part(window[None], RATE)[0], together[row])
    assert np.array_equal(part(batch[::-1], RATE), together[::-1])


@pytest.mark.parametrize("part", ALL, ids=lambda part: part.name)
@pytest.mark.parametrize("length", [1, 399, 400, 16_000])
def test_odd_sounds_stay_finite(part, length):
    click = np.zeros(length, np.float32)
    click[0] = 1.0
    odd = np.stack([np.zeros(length, np.float32), click, np.ones(length, np.float32), -click * 1e-20])
    before = odd.copy()
    features = part(odd, RATE)
    assert features.dtype == np.float32
    assert np.isfinite(features).all()
    assert np.array_equal(odd, before)


@pytest.mark.parametrize("part", SPECTRAL, ids=lambda part: part.name)
@pytest.mark.parametrize("rate", [8000, 11_025, 16_000, 22_050, 44_100, 48_000])
def test_frames_are_25_ms_every_10_ms_at_any_rate(part, rate):
    features = part(speech_like(rate=rate)[None], rate)
    dims = {"lfcc60": 60, "mfcc40": 40, "log_mel": 80}[part.name]
    assert features.shape == (1, 1 + (rate - round(0.025 * rate)) // round(0.01 * rate), dims)


def test_silence_lies_on_the_floor():
    np.testing.assert_allclose(LogMel()(np.zeros((1, 4000), np.float32), RATE), np.log(1e-10), rtol=1e-6)


def test_a_tone_is_heard_in_its_band():
    tone = np.sin(2 * np.pi * 3000 * np.arange(RATE) / RATE).astype(np.float32)
    mels = np.linspace(0, 2595 * np.log10(1 + 8000 / 700), 82)[1:-1]
    expected = np.abs(mels - 2595 * np.log10(1 + 3000 / 700)).argmin()
    assert (LogMel()(tone[None], RATE).argmax(axis=-1) == expected).all()


def test_waveform_is_the_samples():
    samples = np.stack([noise(), speech_like()])
    assert np.array_equal(Waveform()(samples, RATE)[..., 0], samples)


@pytest.mark.parametrize("part", ALL, ids=lambda part: part.name)
def test_parts_are_values(part):
    assert pickle.loads(pickle.dumps(part)) == part == type(part)()
    assert hash(part) == hash(type(part)())


def test_the_hook_offers_each_name_once():
    offered = [part.name for part in register_frontends()]
    assert len(set(offered)) == len(offered) == len(FRONTENDS)
    assert {part.name for part in ALL} <= set(offered)


@pytest.mark.parametrize("part", [LogMel(high=9000.0), Lfcc(low=8000.0), Mfcc(low=-1.0), Mfcc(coefficients=41)])
def test_impossible_parameters_are_an_option_error(part):
    with pytest.raises(OptionError):
        part(noise()[None], RATE)
