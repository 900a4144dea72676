"""The frontends of devices against SciPy, PyWavelets and their formulas in float64, and what each hears and doesn't."""

from itertools import pairwise

import numpy as np
import pytest
import pywt
from scipy.ndimage import median_filter
from scipy.signal import butter, firwin, firwin2, freqz, get_window, lfilter, sosfilt, stft

from earwitness.errors import OptionError
from earwitness.pipeline import Pipeline
from earwitness.plugins import load_catalogue
from earwitness_devices import (
    Bed,
    ChannelResponse,
    Cutoff,
    Hum,
    NoiseFloor,
    NoiseSpectrum,
    Quantisation,
    register_sources,
)
from earwitness_devices._speech_reference import DECIBELS, HERTZ

RATE = 16_000
SECONDS = 4
FRONTENDS = (Bed(), ChannelResponse(), Cutoff(), Hum(), NoiseFloor(), NoiseSpectrum(), Quantisation())
named = pytest.mark.parametrize("frontend", FRONTENDS, ids=lambda part: part.name)


def noise(seed, seconds=SECONDS):
    return np.random.default_rng(seed).standard_normal(round(seconds * RATE))


def utterance(seed):
    """Syllables of filtered noise with pauses between, as level as speech of root mean square 1, (n,) float64."""
    time = np.arange(SECONDS * RATE) / RATE
    low, high = np.random.default_rng(seed).uniform([200, 900], [500, 2500])
    voice = lfilter([1], [1, -0.9], noise(seed)) + sosfilt(
        butter(2, [low, high], "band", fs=RATE, output="sos"), noise(seed)
    )
    voice *= np.maximum(0, np.sin(2 * np.pi * (1.0 + 0.1 * seed) * time)) ** 2
    return voice / voice.std()


def hiss(seed, decibels, level=0.01):
    """Noise through a filter with gains at 0, 2, 4, 6 and 8 kHz."""
    taps = firwin2(255, np.linspace(0, RATE / 2, 5), 10 ** (np.array(decibels) / 20), fs=RATE)
    shaped = lfilter(taps, [1], noise(seed))
    return level * shaped / shaped.std()


def recorded(voice, floor, decibels=(0, 0, 0, 0, 0)):
    return (utterance(voice) + hiss(100 + floor, decibels)).astype(np.float32)


def power(samples, frame, hop):
    """|X|^2 / sum w^2, (frames, bins), by SciPy in float64."""
    window = get_window("hann", frame)
    _, _, spectra = stft(samples.astype(float), RATE, window, frame, frame - hop, boundary=None, padded=False)
    return np.abs(spectra.T * window.sum()) ** 2 / (window**2).sum()


def bands_of(samples, bands=128):
    """(frames, bands) log power in equal bands from bin 2 on."""
    edges = np.rint(2 + np.arange(bands + 1) * 255 / bands).astype(int)
    spectra = power(samples, 512, 256)
    return np.log([[row[a:b].mean() for a, b in pairwise(edges)] for row in spectra])


def sorted_frames(x):
    level = x.mean(axis=1)
    low, high = np.quantile(level, [0.05, 0.95])
    return level <= 0.75 * low + 0.25 * high, level >= 0.4 * low + 0.6 * high


def one(frontend, samples):
    """What a frontend finds in one window, as float64 (frames, dims)."""
    return frontend(np.asarray(samples, np.float32)[None], RATE)[0].astype(np.float64)


def cosine(a, b):
    a, b = a.ravel() - a.mean(), b.ravel() - b.mean()
    return a @ b / np.sqrt((a @ a) * (b @ b))


@named
@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(4 * RATE),
        np.eye(1, 4 * RATE, 777)[0],
        np.full(4 * RATE, 0.3),
        np.where(np.arange(4 * RATE) % 40 < 20, 1.0, -1.0),
        np.array([0.5]),
        np.r_[np.zeros(2 * RATE), noise(0, 2)],
        np.random.default_rng(0).uniform(-1e-30, 1e-30, 4 * RATE),
    ],
    ids=["silence", "click", "offset", "full scale", "one sample", "half silence", "near nothing"],
)
def test_whatever_comes_is_answered_with_finite_values(frontend, samples):
    window = samples[None].astype(np.float32)
    window.flags.writeable = False
    found = frontend(window, RATE)
    assert found.dtype == np.float32
    assert found.shape[0] == 1 < found.ndim == 3
    assert np.isfinite(found).all()


@named
def test_each_window_stands_alone(frontend):
    windows = np.stack([recorded(0, 0), recorded(1, 1), noise(2).astype(np.float32)])
    alone = np.concatenate([frontend(window[None], RATE) for window in windows])
    np.testing.assert_array_equal(frontend(windows, RATE), alone)


@pytest.mark.parametrize("frontend", [Bed(), ChannelResponse(), Cutoff(), Hum(), Quantisation(), NoiseFloor()])
def test_a_gain_is_not_heard(frontend):
    samples = recorded(0, 0)
    np.testing.assert_allclose(one(frontend, 4 * samples), one(frontend, samples), atol=2e-3)


def test_bed_is_its_formula():
    samples = recorded(0, 0)
    expected = np.diff(np.log(power(samples, 256, 128).mean(axis=0)[1:]))
    np.testing.assert_allclose(one(Bed(), samples), expected[None], atol=1e-4)
    assert expected.shape == (127,)


def test_noise_spectrum_is_what_soft_thresholding_takes_away():
    samples = recorded(0, 0)
    found = one(NoiseSpectrum(), samples)
    assert found.shape == (15, 2049)
    for at, row in enumerate(found):
        segment = samples[4096 * at : 4096 * (at + 1)].astype(float)
        approximation, *details = pywt.wavedec(segment, "db8", level=5)
        threshold = np.median(np.abs(details[-1])) / 0.6745 * np.sqrt(2 * np.log(4096))
        kept = [pywt.threshold(detail, threshold, "soft") for detail in details]
        denoised = pywt.waverec([approximation, *kept], "db8")
        np.testing.assert_allclose(row, np.log(np.abs(np.fft.rfft(segment - denoised)) + 1), atol=1e-3)


def test_denoising_leaves_hiss_and_takes_tones():
    tone = 3 * np.sin(2 * np.pi * 437.5 * np.arange(SECONDS * RATE) / RATE)  # bin 112 of 4096 points
    mixed, alone = one(NoiseSpectrum(), tone + 0.01 * noise(0)), one(NoiseSpectrum(), 0.01 * noise(0))
    np.testing.assert_allclose(mixed[:, 600:].mean(), alone[:, 600:].mean(), atol=0.05)
    assert one(NoiseSpectrum("none"), tone + 0.01 * noise(0))[:, 112].min() > 8
    assert mixed[:, 112].max() < 6


def test_without_denoising_it_is_the_spectrum_of_segments():
    samples = recorded(0, 0)
    segments = samples[: 15 * 4096].reshape(15, 4096).astype(float)
    expected = np.log(np.abs(np.fft.rfft(segments)) + 1)
    np.testing.assert_allclose(one(NoiseSpectrum("none"), samples), expected, atol=1e-4)


def standing(samples):
    """A literal float64 of `steady_tones` for frames of 1024."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1024) / 1024)
    starts = range(0, len(samples) - 1023, 512)
    spectra = [np.fft.rfft(samples[s : s + 1024].astype(float) * window) for s in starts]
    x = np.log(np.abs(spectra) ** 2 / (window**2).sum())[:, 1:]
    quiet = np.quantile(x, 0.15, axis=0, method="nearest")
    return quiet - median_filter(quiet, 15, mode="mirror")


def test_noise_floor_is_its_formulas():
    samples = recorded(0, 0)
    x = bands_of(samples)
    quiet, speech = sorted_frames(x)
    assert 20 < quiet.sum() < len(x) - 20 > speech.sum()
    shares = (0.02, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98)
    floors = np.quantile(x, shares, axis=0, method="nearest")
    heights = floors.mean(axis=1)
    d = x - x[quiet].mean(axis=0)
    squares = (d[quiet] ** 2).sum(axis=0)
    pairs = [[t for t in range(len(x) - lag) if quiet[t] and quiet[t + lag]] for lag in (1, 2, 4)]
    correlations = [sum(d[t] * d[t + lag] for t in at) / squares for at, lag in zip(pairs, (1, 2, 4), strict=True)]
    shapes = floors - heights[:, None]
    tones = standing(samples).reshape(128, 4).T
    expected = np.concatenate([*shapes, x[quiet].std(axis=0), *correlations, *tones, heights[:-1] - heights[-1]])
    np.testing.assert_allclose(one(NoiseFloor(), samples)[0], expected, atol=2e-3)


def test_the_floor_is_heard_whoever_speaks():
    """Two voices over one floor are alike, one voice over two floors is not; loud frames hear the voice instead."""
    falling, dipped = (0, -6, -12, -18, -24), (-24, 0, -18, 0, -6)
    low = NoiseFloor(quantiles=(0.1,), lags=())
    floors = [one(low, recorded(voice, voice, falling))[0, :128] for voice in (0, 1)]
    other = one(low, recorded(0, 2, dipped))[0, :128]
    assert cosine(*floors) > 0.95 > 0.5 > cosine(floors[0], other)
    np.testing.assert_allclose(floors[0], floors[1], atol=1.5)


def test_digital_silence_is_no_floor():
    samples = recorded(0, 0)
    padded = np.r_[np.zeros(RATE, np.float32), samples]
    before, after = (one(NoiseFloor(quantiles=(0.1, 0.9), lags=()), each)[0, :256] for each in (samples, padded))
    np.testing.assert_allclose(before, after, atol=0.5)


def test_a_louder_floor_of_one_shape_differs_by_its_distance_from_the_voice_alone():
    quiet, loud = (utterance(0) + gain * hiss(1, (0, -10, 0, -10, 0)) for gain in (1, 2))
    rows = [one(NoiseFloor(quantiles=(0.05, 0.98), lags=()), each)[0] for each in (quiet, loud)]
    np.testing.assert_allclose(rows[0][:128], rows[1][:128], atol=0.6)
    assert rows[1][-1] - rows[0][-1] == pytest.approx(np.log(4), abs=0.1)


def test_a_gain_changes_nothing_of_the_floor():
    samples = recorded(0, 0)
    np.testing.assert_allclose(one(NoiseFloor(), samples), one(NoiseFloor(), 0.25 * samples), atol=1e-3)


def test_channel_response_is_the_speech_spectrum_over_speech_at_large():
    samples = recorded(0, 0)
    x = bands_of(samples)
    _, speech = sorted_frames(x)
    middles = (np.arange(128) + 0.5) * 62.5
    density = np.interp(np.log(middles), np.log(HERTZ), np.log(10 ** (np.array(DECIBELS) / 10) / HERTZ))
    expected = np.log(np.exp(x[speech]).mean(axis=0)) - density
    np.testing.assert_allclose(one(ChannelResponse(), samples)[0], expected - expected.mean(), atol=1e-3)


def test_channel_response_finds_the_filter_that_speech_went_through():
    decibels = np.array([-10, 5, 0, -15, 5])
    taps = firwin2(511, np.linspace(0, RATE / 2, 5), 10 ** (decibels / 20), fs=RATE)
    voice = utterance(0) + hiss(1, (0, 0, 0, 0, 0))
    difference = one(ChannelResponse(), lfilter(taps, [1], voice)) - one(ChannelResponse(), voice)
    _, response = freqz(taps, worN=(np.arange(128) + 0.5) * 62.5, fs=RATE)
    true = np.log(np.abs(response) ** 2)
    assert cosine(difference, true) > 0.98


def test_the_speech_reference_adds_up_to_the_published_level():
    """Byrne et al. give it for 70 dB in all."""
    assert 10 * np.log10(np.sum(10 ** (np.array(DECIBELS) / 10))) == pytest.approx(70, abs=0.1)


@pytest.mark.parametrize(("mains", "lines"), [(50, slice(0, 6)), (60, slice(6, 12))])
def test_hum_is_heard_under_speech_at_its_own_mains_frequency(mains, lines):
    time = np.arange(SECONDS * RATE) / RATE
    buzz = 0.01 * sum(np.sin(2 * np.pi * k * 1.002 * mains * time + k) for k in range(1, 7))
    clean, humming = recorded(0, 0), (recorded(0, 0) + buzz).astype(np.float32)
    found, before = one(Hum(), humming)[0], one(Hum(), clean)[0]
    assert found[lines].min() > 2.0
    assert np.delete(found, np.r_[lines, 5, 10]).max() < 1.0  # 300 Hz is a line of both
    assert np.abs(before).max() < 1.0


def test_hum_needs_frames_that_tell_lines_apart():
    with pytest.raises(OptionError, match="take longer frames"):
        Hum(frame_ms=50.0)(noise(0)[None].astype(np.float32), RATE)


@pytest.mark.parametrize("edge", [3400, 5000, 7000])
def test_cutoff_finds_the_edge(edge):
    cut = [lfilter(firwin(taps, edge, fs=RATE), [1], noise(0)) + 1e-3 * noise(1) for taps in (511, 15)]
    (share, steep), (_, flat) = (one(Cutoff(), each)[0] for each in cut)
    assert share * RATE / 2 == pytest.approx(edge, abs=130)
    assert steep > flat


def test_a_spectrum_without_an_edge_reaches_half_the_rate():
    share, fall = one(Cutoff(), noise(0))[0]
    assert share == 1
    assert 0 < fall < 2


@pytest.mark.parametrize("bits", [6, 8, 12])
def test_quantisation_reads_the_depth_whatever_gain_and_offset_came_after(bits):
    samples = np.clip(np.round(noise(0) * 2 ** (bits - 4)), -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    found = one(Quantisation(), (samples / 3 + 7).astype(np.float32) * np.float32(0.01))[0]
    span = np.ptp(samples)
    assert found[3] == pytest.approx(np.log2(span), abs=0.05)
    assert found[2] == pytest.approx(np.log2(len(np.unique(samples))))
    assert found[1] == pytest.approx(np.mean(samples == np.median(samples)), abs=0.05)
    assert found[0] == pytest.approx(np.mean(samples[1:] == samples[:-1]))


def test_quantisation_counts_exact_zeros_and_calls_float_sound_fine():
    samples = noise(0).astype(np.float32)
    assert one(Quantisation(), samples)[0, 3] == 24
    assert one(Quantisation(), np.r_[samples, np.zeros_like(samples)])[0, 1] == pytest.approx(0.5, abs=1e-3)


def test_more_bands_than_bins_are_refused():
    with pytest.raises(OptionError, match="bears 1 to 255 bands, not 256: ask for fewer"):
        NoiseFloor(bands=256)(noise(0)[None].astype(np.float32), RATE)


def test_every_card_is_of_a_device_and_its_family_is_brand_and_model():
    cards = {card.id: card for card in register_sources()}
    assert len(cards) == 5
    assert {card.kind for card in cards.values()} == {"device"}
    assert all(card.family == f"{card.vendor} {card.model}" for card in cards.values())


@pytest.mark.parametrize("name", ["bed", "noise-spectrum"])
def test_the_baselines_are_pipelines_for_devices(name):
    catalogue = load_catalogue()
    assert Pipeline.from_yaml(catalogue.get("pipeline", name), catalogue).task == "device"
