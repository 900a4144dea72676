"""Degradations: in time, repeatable, and as strong as they say, by SciPy's periodograms."""

import pickle

import numpy as np
import pytest
from scipy.signal import correlate, correlation_lags, welch

from earwitness.errors import OptionError
from earwitness_degradations import Band, Codec, Cvsd, Equaliser, Gain, Noise, Offset, register_degradations
from earwitness_degradations._coder_table import CODERS
from earwitness_degradations.cvsd import _followed

TELEPHONE = [*(Codec(name) for name in ("amr", "g723", "mulaw", "realaudio")), Cvsd()]
CODECS = [*(Codec(name) for name in sorted(CODERS)), Cvsd()]
OTHERS = [Band(), Equaliser(), Gain(), Noise(), Offset()]


def bursts(rate=16_000, seconds=1.5, seed=0):
    """Noise in bursts of random loudness: as broad as sound can be, and found again in time, (n,)."""
    rng = np.random.default_rng(seed)
    count = round(seconds * rate) + 37
    knots = np.arange(0, seconds + 0.2, 0.06)
    loudness = np.interp(np.arange(count) / rate, knots, rng.random(knots.size) ** 2)
    return (0.1 * loudness * rng.standard_normal(count)).astype(np.float32)


def degraded(part, samples, rate=16_000, seed=0):
    return part(samples, rate, np.random.default_rng(seed))


def level(samples, rate=16_000):
    """Frequencies and power in dB."""
    frequencies, power = welch(samples, rate, nperseg=512, detrend=False)
    return frequencies, 10 * np.log10(power + 1e-20)


@pytest.mark.parametrize("rate", [8000, 16_000, 44_100])
@pytest.mark.parametrize("part", [*CODECS, *OTHERS], ids=repr)
def test_comes_back_in_time_and_whole(part, rate):
    samples = bursts(rate)
    before = samples.copy()
    after = degraded(part, samples, rate)
    assert after.shape == samples.shape
    assert after.dtype == np.float32
    assert np.array_equal(samples, before)
    lag = correlation_lags(len(after), len(samples))[np.argmax(correlate(after, samples))]
    assert abs(lag) <= 1


@pytest.mark.parametrize("codec", CODECS, ids=repr)
def test_a_codec_keeps_the_end_of_the_clip(codec):
    samples = bursts(seconds=1.0)
    samples[: -len(samples) // 4] = 0
    tail = slice(-800, None)
    after = degraded(codec, samples)
    assert np.sum(after[tail] ** 2) > 0.1 * np.sum(samples[tail] ** 2)


@pytest.mark.parametrize("part", [*CODECS, *OTHERS], ids=repr)
def test_all_chance_comes_from_the_generator(part):
    samples = bursts(seconds=0.5)
    assert np.array_equal(degraded(part, samples, seed=3), degraded(part, samples, seed=3))


@pytest.mark.parametrize("part", [Codec("mp3"), Codec("opus"), *OTHERS], ids=repr)
def test_another_seed_is_another_sound(part):
    samples = bursts(seconds=0.5)
    assert len({degraded(part, samples, seed=seed).tobytes() for seed in range(8)}) > 1


@pytest.mark.parametrize("part", [Codec(probability=0.5), Cvsd(probability=0.5), Band(probability=0.5),
                                  Equaliser(probability=0.5), Noise(probability=0.5)], ids=repr)  # fmt: skip
def test_probability_is_how_often(part):
    samples = bursts(seconds=0.05)
    changed = sum(not np.array_equal(degraded(part, samples, seed=seed), samples) for seed in range(200))
    assert 70 <= changed <= 130  # four standard deviations about 100


@pytest.mark.parametrize("part", [*CODECS, *OTHERS], ids=repr)
@pytest.mark.parametrize("length", [0, 1, 7, 300, 5000])
def test_silence_and_scraps_stay_finite(part, length):
    after = degraded(part, np.zeros(length, np.float32))
    assert after.shape == (length,)
    assert np.isfinite(after).all()
    assert (np.abs(after) <= 0.01).all()


@pytest.mark.parametrize("codec", [codec for codec in CODECS if codec != Codec("flac")], ids=repr)
def test_a_lossy_codec_changes_the_sound(codec):
    samples = bursts()
    assert np.sum((degraded(codec, samples) - samples) ** 2) > 1e-3 * np.sum(samples**2)


def test_flac_keeps_sixteen_bits():
    samples = bursts()
    assert np.abs(degraded(Codec("flac"), samples) - samples).max() <= 0.51 / 32768


@pytest.mark.parametrize("codec", TELEPHONE, ids=repr)
def test_telephone_codecs_end_at_4_khz(codec):
    samples = bursts()
    (frequencies, before), (_, after) = level(samples), level(degraded(codec, samples))
    lost = before - after
    assert lost[frequencies > 4500].min() > 25
    assert abs(np.median(lost[(frequencies > 500) & (frequencies < 3000)])) < 6


def test_wide_band_hands_free_sets_are_heard_up_to_8_khz():
    """Eight bands share 57 bytes for 120 samples, 3.8 bits a sample: some 15 dB of what is white."""
    samples = bursts()
    (frequencies, before), (_, after) = level(samples), level(degraded(Codec("msbc"), samples))
    assert np.abs((before - after)[(frequencies > 300) & (frequencies < 7500)]).max() < 3
    error = degraded(Codec("msbc"), samples) - samples
    assert 10 < 10 * np.log10(np.sum(samples**2) / np.sum(error**2)) < 20


def encoded(line):
    """The bits of the Bluetooth core specification, vol. 2, part B, 9.2, sign by sign."""
    x_hat, delta, bits = 0.0, 10.0, []
    for x in line:
        bits.append(1 if x - x_hat >= 0 else -1)
        x_hat, delta = moved(x_hat, delta, bits)
    return bits


def decoded(bits):
    x_hat, delta, sound = 0.0, 10.0, []
    for k in range(len(bits)):
        x_hat, delta = moved(x_hat, delta, bits[: k + 1])
        sound.append(x_hat)
    return sound


def moved(x_hat, delta, bits):
    alpha = len(bits) >= 4 and len(set(bits[-4:])) == 1
    delta = min(delta + 10, 1280) if alpha else max((1 - 2**-10) * delta, 10)
    y_hat = x_hat + bits[-1] * delta
    y = min(y_hat, 2**15 - 1) if y_hat >= 0 else max(y_hat, -(2**15))
    return (1 - 2**-5) * y, delta


@pytest.mark.parametrize("loudness", [0.0, 30.0, 3000.0, 60_000.0])
def test_cvsd_decodes_its_own_bits_to_what_the_specification_says(loudness):
    line = loudness * np.sin(np.arange(4000) / 30) * np.linspace(0, 1, 4000) + 1.0
    np.testing.assert_allclose(_followed(line.astype(np.float32)), decoded(encoded(line.astype(np.float32))))


def test_cvsd_lags_behind_steep_slopes():
    """The loudest step against the decay of what was reached: 1280 / (1 - h) would be the end, were there no limit."""
    jump = _followed(np.full(2000, 32767.0, np.float32))
    assert jump[0] == 10 * 31 / 32
    assert np.argmax(jump > 16_000) > 40
    assert jump.max() <= 32767 * 31 / 32


def test_fewer_bits_are_further_from_the_sound():
    samples = bursts()
    errors = [np.sum((degraded(Codec("mp3", (bits,)), samples) - samples) ** 2) for bits in (24, 64, 128)]
    assert errors[0] > errors[1] > errors[2]


def test_band_cuts_where_it_says():
    samples = bursts(seconds=1.6)
    part = Band(high_pass=(300.0, 300.0), low_pass=(3400.0, 3400.0))
    (frequencies, before), (_, after) = level(samples), level(degraded(part, samples))
    lost = before - after
    assert np.abs(lost[(frequencies > 500) & (frequencies < 3200)]).max() < 0.5
    assert lost[(frequencies > 3600) | (frequencies < 100)].min() > 35


def test_open_band_is_the_sound_itself():
    samples = bursts()
    after = degraded(Band(high_pass=(0.0, 0.0), low_pass=(9000.0, 9000.0)), samples)
    np.testing.assert_allclose(after, samples, atol=1e-6)


def test_equaliser_stays_within_its_limit_and_spread():
    samples = bursts(seconds=1.6)
    curves = []
    for seed in range(30):
        (frequencies, before), (_, after) = level(samples), level(degraded(Equaliser(), samples, seed=seed))
        curves.append((after - before)[(frequencies > 100) & (frequencies < 7900)])
    assert np.abs(curves).max() < 12.5
    assert 2.0 < np.std(curves) < 5.0  # knots deviate by 4 dB, the lines between them by less


@pytest.mark.parametrize("ratio", [10.0, 25.0, 50.0])
@pytest.mark.parametrize("slope", [0.0, 1.0, 2.0])
def test_noise_has_the_ratio_asked_for(ratio, slope):
    samples = bursts()
    added = degraded(Noise(ratio=(ratio, ratio), slope=(slope, slope)), samples).astype(float) - samples
    assert 10 * np.log10(np.sum(samples.astype(float) ** 2) / np.sum(added**2)) == pytest.approx(ratio, abs=0.02)


@pytest.mark.parametrize("slope", [0.0, 1.0, 2.0])
def test_noise_has_the_colour_asked_for(slope):
    samples = bursts(seconds=1.6)
    added = degraded(Noise(ratio=(0.0, 0.0), slope=(slope, slope)), samples) - samples
    frequencies, power = level(added)
    keep = (frequencies > 200) & (frequencies < 7000)
    fitted = np.polyfit(np.log10(frequencies[keep]), power[keep] / 10, 1)[0]
    assert fitted == pytest.approx(-slope, abs=0.25)


def test_gain_and_offset_are_what_they_say():
    samples = bursts()
    np.testing.assert_allclose(degraded(Gain((6.0, 6.0)), samples), samples * 10**0.3, rtol=1e-6)
    assert np.ptp(degraded(Offset(0.02), samples) - samples) < 1e-7
    assert 0 < abs(np.mean(degraded(Offset(0.02), samples) - samples)) <= 0.02


@pytest.mark.parametrize("part", [*CODECS, *OTHERS], ids=repr)
def test_parts_are_values(part):
    assert pickle.loads(pickle.dumps(part)) == part


def test_the_hook_offers_each_name_once():
    names = [part.name for part in register_degradations()]
    assert sorted(names) == ["band", "codec", "cvsd", "equaliser", "gain", "noise", "offset"]


def test_impossible_codecs_are_an_option_error():
    with pytest.raises(OptionError, match="choose one of aac, amr"):
        Codec("mp5")
    with pytest.raises(OptionError, match="no choice"):
        Codec("mulaw", (64.0,))
    with pytest.raises(OptionError, match="positive"):
        Codec("mp3", (0.0,))
    with pytest.raises(OptionError, match="another bit rate"):
        degraded(Codec("wma", (1.0,)), bursts())
