"""Whitening and the two orders against their formulas in float64, and against what chance must do."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.ndimage
import scipy.stats

from earwitness_cyclic._evidence import deviate, surprise, weigh, without_combs
from earwitness_cyclic._orders import first_order, second_order
from earwitness_cyclic._whitening import fast_length, mean_over, prime_from, whiten

RATE = 16000
SOUNDS = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("cyclic_sounds.py"))))
noise = SOUNDS.noise


def literal_whiten(samples):
    """Frame by frame: hop 137, window 548 filled to 560, means of 2 x 5 + 1 bins, fewer at the ends."""
    padded = np.concatenate([np.zeros(548), samples / np.abs(samples).max(), np.zeros(548 + 137)])
    window = np.hanning(549)[:-1]
    out = np.zeros(len(padded) + 548)
    for start in range(0, len(padded) - 547, 137):
        spectrum = np.fft.rfft(padded[start : start + 548] * window, 560)
        level = [np.abs(spectrum[max(0, k - 5) : k + 6]).mean() for k in range(281)]
        frame = np.fft.irfft(spectrum / (np.array(level) + 1e-6 * 548), 560)[:548] * window
        out[start : start + 548] += frame * np.sqrt(0.375 * 548) / 1.5
    return out[548 : 548 + len(samples)]


def test_whitening_is_its_formula():
    samples = SOUNDS.speech(RATE, 1.0, seed=1)
    np.testing.assert_allclose(whiten(samples, RATE), literal_whiten(samples.astype(np.float64)), atol=2e-3)


def test_whitening_levels_colour_and_loudness():
    samples = np.cumsum(noise(RATE, 4.0, seed=0)) * np.linspace(0.01, 1, 4 * RATE)
    white = whiten(samples.astype(np.float32), RATE)
    power = np.abs(np.fft.rfft(white)) ** 2
    parts = [part.mean() for part in np.array_split(power[400:], 8)]
    assert max(parts) < 1.3 * min(parts)
    assert white[:RATE].std() == pytest.approx(white[-RATE:].std(), rel=0.1)


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 24000, 44100, 48000])
def test_the_hop_of_whitening_is_prime_and_its_length_fast(rate):
    hop = prime_from(round(0.0085 * rate))
    assert all(hop % d for d in range(2, hop))
    size = fast_length(4 * hop)
    for prime in (2, 3, 5, 7):
        while size % prime == 0:
            size //= prime
    assert size == 1


def test_mean_over_is_a_running_mean_with_shorter_ends():
    values = np.random.default_rng(0).random((2, 50)).astype(np.float32)
    expected = [[row[max(0, i - 4) : i + 5].mean() for i in range(50)] for row in values]
    np.testing.assert_allclose(mean_over(values, 4), expected, rtol=1e-5)
    np.testing.assert_allclose(mean_over(values, 99), np.tile(values.mean(1, keepdims=True), 50), rtol=1e-5)


def test_the_first_order_is_its_formula():
    white = noise(RATE, 1.5, seed=3)
    spectra = first_order(white, RATE)
    power = np.abs(np.fft.rfft(white * np.hanning(len(white) + 2)[1:-1], 48000)) ** 2
    level = scipy.ndimage.uniform_filter1d(power, 121)
    assert spectra.step == RATE / 48000
    np.testing.assert_allclose(spectra.power[0, 60:-60], (power / level)[60:-60], rtol=2e-3)


def test_the_second_order_is_the_spectrum_of_levelled_envelopes():
    white = noise(RATE, 1.0, seed=4)
    spectra = second_order(white, RATE)
    transform = np.fft.fft(white)
    for band in range(4):
        rows = np.where((np.arange(RATE) >= 2000 * band) & (np.arange(RATE) < 2000 * (band + 1)), transform, 0)
        envelope = np.abs(np.fft.ifft(rows)) ** 2
        level = scipy.ndimage.uniform_filter1d(envelope, 1600)
        envelope = np.minimum(envelope / level, 8)[::4]
        envelope -= envelope.mean()
        power = np.abs(np.fft.rfft(envelope * np.hanning(len(envelope) + 2)[1:-1], 8000)) ** 2
        power /= scipy.ndimage.uniform_filter1d(power, 81)
        inner = slice(100, 3900)
        assert np.corrcoef(np.log(power[inner] + 0.1), np.log(spectra.power[band, inner] + 0.1))[0, 1] > 0.97


@pytest.mark.parametrize("order", [first_order, second_order])
def test_by_chance_power_is_exponential(order):
    spectra = order(whiten(noise(RATE, 8.0, seed=5), RATE), RATE)
    values = spectra.power[:, 800 : spectra.power.shape[1] - 800 : 4]  # far enough apart to be independent
    for row in values:
        assert scipy.stats.kstest(row, "expon").pvalue > 0.001


def test_a_tone_and_a_beat_stand_where_they_are():
    time = np.arange(4 * RATE) / RATE
    hiss = noise(RATE, 4.0, seed=6)
    tone = first_order(whiten((hiss + 0.01 * np.sin(2 * np.pi * 3210 * time)).astype(np.float32), RATE), RATE)
    beat = second_order(whiten((hiss * (1 + 0.4 * np.sin(2 * np.pi * 80 * time))).astype(np.float32), RATE), RATE)
    assert np.argmax(tone.power[0]) * tone.step == pytest.approx(3210, abs=tone.step)
    np.testing.assert_allclose(np.argmax(beat.power, axis=1) * beat.step, 80, atol=beat.step)


def test_lines_stand_at_every_multiple_and_highest_at_a_later_stages():
    spectra = first_order(whiten(SOUNDS.decoder(24000, (10, 6, 5), 4.0, seed=2), 24000), 24000)
    lines = spectra.at(80.0 * np.arange(1, 149))[0]
    between = spectra.at(80.0 * np.arange(1, 148) + 37.0)[0]
    tenth = np.arange(1, 149) % 10 == 0
    assert np.median(lines[tenth]) > np.median(lines[~tenth]) > 2 * np.median(between)


@pytest.mark.parametrize("count", [1, 5, 90, 300])
def test_surprise_is_the_tail_of_the_gamma_distribution(count):
    totals = count * np.array([0.5, 1.0, 1.5, 2.5])
    expected = -scipy.stats.gamma.logsf(totals, count)
    np.testing.assert_allclose(surprise(totals, np.array(count)), expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("nats", [0.5, 3.0, 50.0, 599.0, 2000.0])
def test_the_deviate_has_that_tail(nats):
    assert -scipy.stats.norm.logsf(deviate(nats)) == pytest.approx(nats, rel=1e-3)


def test_no_comb_within_a_lattice_passes_for_it():
    chance = np.random.default_rng(7).exponential(size=90)
    for q in (2, 3, 11):
        comb = np.where(np.arange(1, 91) % q == 0, 50.0, chance)
        assert weigh(comb, np.ones((1, 90), bool)) > 8
        assert weigh(comb, without_combs(90)) < 6
    assert weigh(chance + 2, without_combs(90)) > 20
