"""Simulated recordings: drawn curves against SciPy's periodograms, rooms against Schroeder, identity against chance."""

import importlib.util
import pickle
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import butter, correlate, correlation_lags, freqz, lfilter, welch

from earwitness.contracts import Degradation
from earwitness.errors import EarwitnessError, OptionError
from earwitness_devices.simulation import DEGRADATIONS, Ambience, Conference, Expander, Response, Room, SimulatedDevice
from earwitness_devices.simulation._curves import GRID, high_pass, low_pass, smooth
from earwitness_devices.simulation._dynamics import GainControl, Gate, Suppressor, quantise, soft_clip
from earwitness_devices.simulation._transform import convolve, fast_length, gaussian
from earwitness_devices.simulation.response import read_response
from earwitness_devices.simulation.self_noise import draw_shape, levelled
from earwitness_devices.simulation.traits import _draw_design

RATE = 16_000
PARTS = [Ambience(), Conference(), Expander(), Room(), SimulatedDevice(1, 2, 3, 4)]
SPEECH = (GRID > 300) & (GRID < 3400)


def noise(seconds=2.0, level=-30.0, seed=0):
    count = round(seconds * RATE)
    return (10 ** (level / 20) * np.random.default_rng(seed).standard_normal(count)).astype(np.float32)


def heard(part, samples, seed=0, rate=RATE):
    return part(samples, rate, np.random.default_rng(seed))


def decibels(samples):
    return 10 * np.log10(np.mean(np.square(samples, dtype=np.float64)))


def spectrum(samples):
    """Frequencies and one-sided density in dB."""
    frequencies, density = welch(samples.astype(float), RATE, nperseg=1024, detrend=False)
    return frequencies, 10 * np.log10(density + 1e-20)


def plain_devices(count):
    """Devices at work as linear ones: no firmware, a fast converter, 16 bits, low in gain."""
    devices = (SimulatedDevice(0, brand, 0, 0, placement=0.0) for brand in range(400))
    plain = [d for d in devices if not d.traits.stages and d.traits.converter >= RATE and d.traits.bits == 16]
    assert len(plain) >= count
    return plain[:count]


@pytest.mark.parametrize("part", [*PARTS, Response("curve.csv"), SimulatedDevice(file="curve.csv")], ids=repr)
def test_parts_are_degradations_and_values(part):
    assert isinstance(part, Degradation)
    assert type(part) in DEGRADATIONS
    assert pickle.loads(pickle.dumps(part)) == part
    assert type(part)() == type(part)()


@pytest.mark.parametrize("part", PARTS, ids=repr)
def test_all_chance_comes_from_the_generator(part):
    samples = noise(0.5)
    before = samples.copy()
    assert np.array_equal(heard(part, samples, 3), heard(part, samples, 3))
    assert not np.array_equal(heard(part, samples, 3), heard(part, samples, 4))
    assert np.array_equal(samples, before)


@settings(max_examples=60, deadline=None)
@given(
    numbers=st.tuples(*[st.integers(0, 2**32)] * 4),
    length=st.sampled_from([0, 1, 2, 159, 161, 3001]),
    rate=st.sampled_from([8000, 16_000, 44_100, 48_000]),
    level=st.sampled_from([0.0, 1e-6, 0.1, 10.0]),
)
def test_any_device_gives_finite_sound_of_the_same_length(numbers, length, rate, level):
    samples = np.full(length, level, np.float32)
    for part in (Room(), Ambience(), Expander(), SimulatedDevice(*numbers), Conference()):
        samples = heard(part, samples, rate=rate)
        assert samples.shape == (length,)
        assert samples.dtype == np.float32
        assert np.isfinite(samples).all()
    assert np.abs(samples).max(initial=0.0) <= 1.0


def test_a_device_is_its_numbers_and_nothing_else():
    device, again = SimulatedDevice(5, 1, 2, 3), SimulatedDevice(5, 1, 2, 3)
    frequencies = np.linspace(50, 7000, 100)
    assert np.array_equal(device.response(frequencies), again.response(frequencies))
    heard(device, noise(0.1), seed=9)
    assert np.array_equal(device.floor(frequencies), again.floor(frequencies))
    others = [(6, 1, 2, 3), (5, 0, 2, 3), (5, 1, 0, 3), (5, 1, 2, 0)]
    for numbers in others:
        assert not np.allclose(SimulatedDevice(*numbers).response(frequencies), device.response(frequencies))


def test_units_differ_less_than_models_and_models_less_than_brands():
    frequencies = np.geomspace(200, 3500, 60)

    def spread(devices):
        return np.std([device.response(frequencies) for device in devices], axis=0).mean()

    units = np.mean([spread([SimulatedDevice(0, b, 0, u) for u in range(8)]) for b in range(12)])
    models = np.mean([spread([SimulatedDevice(0, b, m, 0) for m in range(8)]) for b in range(12)])
    brands = np.mean([spread([SimulatedDevice(0, b, m, 0) for b in range(12)]) for m in range(8)])
    assert units < 0.5 * models
    assert models < brands


def test_units_of_a_model_share_its_electronics():
    first, second = (SimulatedDevice(3, 1, 4, unit).traits for unit in (0, 1))
    assert (first.converter, first.bits, first.stages) == (second.converter, second.bits, second.stages)
    assert [t.frequency for t in first.noise.tones] == [t.frequency for t in second.noise.tones]
    assert first.offset != second.offset


@pytest.mark.parametrize("device", plain_devices(4), ids=repr)
def test_white_noise_measures_the_response_drawn(device):
    samples = noise(4.0, level=-45.0 - device.traits.gain)  # far from saturation
    loud = heard(device, samples).astype(float) - heard(device, np.zeros_like(samples))  # the same self-noise
    (frequencies, before), (_, after) = spectrum(samples), spectrum(loud)
    keep = (frequencies > 300) & (frequencies < 3400)
    np.testing.assert_allclose((after - before)[keep], device.response(frequencies)[keep], atol=1.0)


@pytest.mark.parametrize("device", plain_devices(4), ids=repr)
def test_silence_measures_the_noise_drawn(device):
    silence = np.zeros(8 * RATE, np.float32)
    frequencies, density = spectrum(heard(device, silence) - np.float32(device.traits.offset))
    rounding = 10 * np.log10((2.0**-15) ** 2 / 12 / (RATE / 2))  # Bennett: a twelfth of a step squared
    expected = np.logaddexp(device.floor(frequencies) * np.log(10) / 10, rounding * np.log(10) / 10) * 10 / np.log(10)
    far = np.ones(len(frequencies), bool)
    for tone in device.traits.noise.tones:
        far &= np.abs(frequencies - tone.frequency) > 60
    keep = far & (frequencies > 200) & (frequencies < 7900)
    assert keep.sum() > 100
    assert abs(np.median((density - expected)[keep])) < 1.0
    assert np.quantile(np.abs(density - expected)[keep], 0.9) < 3.0


def test_the_noise_is_another_in_each_call_and_its_spectrum_the_same():
    (device,) = plain_devices(1)
    one, two = (heard(device, np.zeros(8 * RATE, np.float32), seed) for seed in (1, 2))
    assert abs(np.corrcoef(one, two)[0, 1]) < 0.2
    assert np.abs(spectrum(one)[1] - spectrum(two)[1]).mean() < 1.5


def test_a_device_keeps_time():
    samples = noise(0.5) * np.repeat(np.random.default_rng(1).random(50), 160).astype(np.float32)
    for brand in range(8):
        after = heard(SimulatedDevice(0, brand), samples)
        lag = correlation_lags(len(after), len(samples))[np.argmax(np.abs(correlate(after, samples)))]
        assert abs(lag) <= 1


def test_a_slow_converter_leaves_nothing_above_half_its_rate():
    slow = next(d for b in range(400) if (d := SimulatedDevice(0, b)).traits.converter == 8000)
    frequencies, density = spectrum(heard(slow, noise(2.0, -26.0)))
    assert density[frequencies > 5500].max() < np.median(density[(frequencies > 500) & (frequencies < 3000)]) - 15


def test_negative_numbers_are_an_option_error():
    with pytest.raises(OptionError, match="count from 0"):
        SimulatedDevice(0, -1)


def test_filters_are_butterworths():
    np.testing.assert_allclose(np.interp(100.0, GRID, high_pass(100.0, 2)), -3.01, atol=0.1)
    np.testing.assert_allclose(np.interp([12.5, 25.0], GRID / 100, high_pass(300.0, 1)), 0.0, atol=0.3)
    fall = np.interp(2000.0, GRID, low_pass(250.0, 2)) - np.interp(4000.0, GRID, low_pass(250.0, 2))
    assert fall == pytest.approx(12.04, abs=0.1)


def test_smooth_curves_deviate_as_asked():
    curves = np.array([smooth(np.random.default_rng(seed), 3.0) for seed in range(500)])
    np.testing.assert_allclose(curves.std(axis=0), 3.0, rtol=0.15)
    assert np.abs(np.diff(curves)).max() < 2.0


def test_noise_shapes_have_no_level_of_their_own():
    for seed in range(10):
        shape = draw_shape(np.random.default_rng(seed), -3.0)
        np.testing.assert_allclose(levelled(shape), shape, atol=1e-9)


@pytest.mark.parametrize("decay", [0.2, 0.5, 0.9])
def test_a_room_decays_in_the_time_asked_for(decay):
    response = Room((decay, decay), (-20.0, -20.0)).response(RATE, np.random.default_rng(0)).astype(float)
    left = 10 * np.log10(np.cumsum(response[::-1] ** 2)[::-1] / np.sum(response**2))  # Schroeder 1965
    times = np.arange(len(left)) / RATE
    late = (left < -8) & (left > -28)
    assert -60 / np.polyfit(times[late], left[late], 1)[0] == pytest.approx(decay, rel=0.1)


@pytest.mark.parametrize("direct", [0.0, 12.0])
def test_a_room_has_the_direct_sound_asked_for(direct):
    response = Room(direct=(direct, direct)).response(RATE, np.random.default_rng(1)).astype(float)
    assert -10 * np.log10(np.sum(response[1:] ** 2)) == pytest.approx(direct, abs=0.1)


def test_a_numbered_place_stays_the_same():
    responses = [Room(seed=7).response(RATE, np.random.default_rng(n)) for n in range(2)]
    assert np.array_equal(*responses)
    assert not np.array_equal(responses[0], Room(seed=8).response(RATE, np.random.default_rng(0)))
    part = Ambience(ratio=(0.0, 0.0), wander=0.0, seed=7)
    added = [heard(part, noise(), seed) - noise() for seed in range(2)]
    assert abs(np.corrcoef(*added)[0, 1]) < 0.2
    assert np.abs(spectrum(added[0])[1] - spectrum(added[1])[1])[5:].mean() < 1.5


def test_a_room_from_a_file_is_that_room(tmp_path):
    response = np.zeros(400)
    response[[50, 150, 350]] = 0.8, 0.4, -0.2
    soundfile.write(tmp_path / "room.wav", response, RATE, subtype="FLOAT")
    samples = noise(0.2)
    after = heard(Room(file=str(tmp_path / "room.wav")), samples)
    expected = np.convolve(samples, response[50:])[: len(samples)]
    np.testing.assert_allclose(after / after.std(), expected / expected.std(), atol=1e-4)
    assert decibels(after) == pytest.approx(decibels(samples), abs=0.01)


@pytest.mark.parametrize("ratio", [20.0, 45.0])
@pytest.mark.parametrize("recorded", [False, True])
def test_ambience_has_the_ratio_asked_for(ratio, recorded, tmp_path):
    soundfile.write(tmp_path / "place.wav", noise(0.3, seed=5), RATE, subtype="FLOAT")
    samples = noise(1.0)
    added = heard(Ambience((ratio, ratio), file=str(tmp_path / "place.wav") * recorded), samples) - samples
    assert decibels(samples) - decibels(added) == pytest.approx(ratio, abs=0.05)


def test_ambience_leaves_silence_alone():
    assert not heard(Ambience(), np.zeros(1000, np.float32)).any()


def test_the_expander_sinks_pauses_and_keeps_speech():
    loud = np.repeat([0, 1, 0, 1, 0], RATE // 2).astype(np.float32)
    samples = noise(2.5, -20.0) * loud + noise(2.5, -60.0, seed=1)
    after = heard(Expander((30.0, 30.0)), samples)
    pause, speech = slice(2 * RATE + 1600, None), slice(RATE // 2 + 1600, RATE - 1600)
    assert decibels(samples[pause]) - decibels(after[pause]) > 15
    assert decibels(after[speech]) == pytest.approx(decibels(samples[speech]), abs=0.5)


def test_a_conference_levels_speech_and_hides_the_floor():
    part = Conference(depth=(30.0, 30.0), target=(-20.0, -20.0), comfort=(-120.0, -120.0))
    loud = np.repeat([0, 1, 1, 1, 0], RATE // 2).astype(np.float32)
    samples = noise(2.5, -35.0) * loud + noise(2.5, -65.0, seed=1)
    after = heard(part, samples)
    speech, pause = slice(RATE, 2 * RATE), slice(-RATE // 4, None)
    assert decibels(after[speech]) == pytest.approx(-20.0, abs=1.5)
    ratios = [decibels(sound[speech]) - decibels(sound[pause]) for sound in (samples, after)]
    assert ratios[1] > ratios[0] + 8


def test_a_suppressor_of_no_depth_is_the_sound_itself():
    samples = noise(0.5)
    np.testing.assert_allclose(Suppressor(0.0)(samples, RATE), samples, atol=1e-6)


def test_gain_control_brings_speech_to_its_target():
    control = GainControl(target=-20.0, most=15.0, attack=0.05, release=0.2, floor=-60.0)
    for level in (-30.0, -14.0):
        assert decibels(control(noise(2.0, level), RATE)[RATE:]) == pytest.approx(-20.0, abs=1.0)
    assert decibels(control(noise(2.0, -50.0), RATE)[RATE:]) == pytest.approx(-35.0, abs=0.2)  # no more than `most`


def test_a_gate_shuts_after_its_release_only():
    gate = Gate(threshold=-40.0, depth=20.0, release=0.1)
    samples = np.concatenate([noise(1.0, -20.0), noise(1.0, -60.0)])
    after = gate(samples, RATE)
    np.testing.assert_allclose(decibels(after[:RATE]), decibels(samples[:RATE]), atol=0.2)
    assert decibels(after[RATE + 160 : RATE + 480]) > -65
    assert decibels(after[-RATE // 4 :]) == pytest.approx(-80.0, abs=0.5)


def test_saturation_and_rounding():
    ramp = np.linspace(-2, 2, 1001, dtype=np.float32)
    np.testing.assert_allclose(soft_clip(ramp, 0.5), 0.5 * np.tanh(ramp / 0.5), rtol=1e-6)
    rounded = quantise(ramp, 12)
    assert np.abs(rounded).max() <= 1.0
    assert np.abs(rounded - np.clip(ramp, -1, 2047 / 2048)).max() <= 1 / 4096
    np.testing.assert_array_equal(rounded * 2048, np.rint(rounded * 2048))


@pytest.mark.parametrize(
    "text",
    [
        "Hz;dB\n100;-6,0\n1000;0,0\n4000;12,5\n",
        "# made by hand\n1000, 0.0\n100, -6\n4000, 12.5\n",
        "* REW\n  4000.0 12.5 90.0\n  100.0 -6.0 0.0\n  1000.0 0.0 3.1\n",
    ],
    ids=["semicolons", "commas", "blanks and phases"],
)
def test_a_curve_is_read_however_it_is_written(text, tmp_path):
    (tmp_path / "curve.TXT").write_text(text)
    curve = read_response(str(tmp_path / "curve.TXT"))
    assert curve[SPEECH].mean() == pytest.approx(0.0, abs=1e-9)
    expected = np.interp(np.log([20, 100, 200, 1000, 2000, 4000, 20_000]), np.log([100, 1000, 4000]), [-6, 0, 12.5])
    found = np.interp([20, 100, 200, 1000, 2000, 4000, 20_000], GRID, curve)
    np.testing.assert_allclose(found - found[3], expected - expected[3], atol=0.2)  # the grid is coarse


@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_an_impulse_response_has_the_magnitude_of_its_filter(rate, tmp_path):
    numerator, denominator = butter(2, [200, 3000], "bandpass", fs=rate)
    impulse = lfilter(numerator, denominator, np.eye(1, rate // 2, 100)[0])
    soundfile.write(tmp_path / "measured.wav", impulse, rate, subtype="FLOAT")
    curve = read_response(str(tmp_path / "measured.wav"))
    inside = (GRID > 60) & (rate * 0.45 > GRID)
    expected = 20 * np.log10(np.abs(freqz(numerator, denominator, GRID[inside], fs=rate)[1]))
    offset = np.interp(1000, GRID, curve) - np.interp(1000, GRID[inside], expected)
    np.testing.assert_allclose(curve[inside], expected + offset, atol=0.5)
    assert curve[SPEECH].mean() == pytest.approx(0.0, abs=1e-9)


def curve_file(folder, name="curve.csv", high=-12):
    (folder / name).write_text(f"50;-20\n300;0\n3000;0\n6000;{high}\n")
    return str(folder / name)


def test_a_response_colours_the_sound_and_keeps_its_time(tmp_path):
    samples = noise(4.0)
    after = heard(Response(curve_file(tmp_path)), samples)
    (frequencies, before), (_, coloured) = spectrum(samples), spectrum(after)
    expected = np.interp(np.log(frequencies[5:]), np.log([50, 300, 3000, 6000]), [-20, 0, 0, -12])
    assert np.abs((coloured - before)[5:] - expected).max() < 1.0
    assert correlation_lags(len(after), len(samples))[np.argmax(correlate(after, samples))] == 0
    np.testing.assert_array_equal(heard(Response(), samples), samples)


@pytest.mark.parametrize("text", ["Hz;dB\n", "1000;0\n", "100;a\n200;b\n", "100\n200\n"])
def test_a_text_without_a_curve_is_an_option_error(text, tmp_path):
    (tmp_path / "curve.csv").write_text(text)
    with pytest.raises(OptionError, match="lines of Hz and dB"):
        Response(str(tmp_path / "curve.csv"))(noise(0.1), RATE, np.random.default_rng(0))


def test_a_response_that_is_missing_or_silent_is_told(tmp_path):
    with pytest.raises(OptionError, match="give another response"):
        read_response(str(tmp_path / "missing.csv"))
    with pytest.raises(EarwitnessError):
        read_response(str(tmp_path / "missing.wav"))
    soundfile.write(tmp_path / "silent.wav", np.zeros(1000), RATE)
    with pytest.raises(OptionError, match="silent"):
        read_response(str(tmp_path / "silent.wav"))


def test_a_device_with_a_measured_response_is_the_drawn_one_in_all_else(tmp_path):
    file = curve_file(tmp_path)
    drawn, measured = SimulatedDevice(3, 1, 2, 0), SimulatedDevice(3, 1, 2, 0, file=file)
    difference = measured.traits.response - read_response(file)
    assert np.std(difference) < 3.0  # a unit's tolerances
    np.testing.assert_allclose(difference, drawn.traits.response - drawn_response(drawn), atol=1e-9)
    kept = ("gain", "saturation", "converter", "quality", "stages", "offset", "bits")
    assert all(getattr(drawn.traits, name) == getattr(measured.traits, name) for name in kept)
    assert drawn.traits.noise.tones == measured.traits.noise.tones
    assert np.std(drawn.traits.response - measured.traits.response) > 1.0


def drawn_response(device):
    """The response of a device's model, before the tolerances of its unit."""
    return _draw_design(device.seed, device.brand, device.model).response


@given(st.integers(1, 10**6))
def test_fast_lengths_are_long_enough_and_not_much_longer(count):
    length = fast_length(count)
    assert count <= length <= max(8, 1.26 * count)


def test_spectra_of_white_noise_and_convolution():
    assert np.mean(np.abs(gaussian(100_000, np.random.default_rng(0))) ** 2) == pytest.approx(1.0, abs=0.02)
    samples, response = noise(0.1), noise(0.05, 0.0, seed=1)
    expected = np.convolve(samples.astype(float), response)[: len(samples)]
    np.testing.assert_allclose(convolve(samples, response), expected, atol=1e-4)


@pytest.fixture(scope="module")
def script():
    path = Path(__file__).parents[1] / "examples" / "devices" / "simulate.py"
    spec = importlib.util.spec_from_file_location("simulate", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_population_counts_units_then_models_then_brands(script):
    numbers = [(d.brand, d.model, d.unit) for d in script.population(9, 9, models=2, units=2)]
    assert numbers[:5] == [(0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1), (1, 0, 0)]
    assert len(set(numbers)) == 9


def test_models_take_given_responses_in_turn(script, tmp_path):
    files = [curve_file(tmp_path, name) for name in ("b.csv", "a.csv")]
    soundfile.write(tmp_path / "c.wav", noise(0.1), RATE)
    given = script.measured([tmp_path])
    assert given == (files[1], files[0], str(tmp_path / "c.wav"))
    devices = script.population(8, 8, models=2, units=2, responses=given)
    assert [d.file for d in devices] == [given[k] for k in (0, 0, 1, 1, 2, 2, 0, 0)]
    assert [d.file for d in script.population(2, 2, models=1, units=1)] == ["", ""]


@pytest.mark.parametrize("codec", ["msbc", "cvsd", "mp3"])
def test_what_arrives_through_a_codec_is_another_sound_of_the_same_length(script, codec):
    samples = noise(0.5)
    after = script.sent(samples, codec, RATE, np.random.default_rng(0))
    assert after.shape == samples.shape
    assert not np.array_equal(after, samples)


def test_parts_of_the_speakers_are_disjoint_and_whole(script, tmp_path):
    for name in "abcdefg":
        (tmp_path / name).mkdir()
        soundfile.write(tmp_path / name / "1.wav", np.zeros(100), RATE)
    first, second = script.by_speaker([tmp_path], "0:4"), script.by_speaker([tmp_path], "4:")
    assert len(first) == 4
    assert not set(first) & set(second)
    assert len(set(first) | set(second)) == 7


def test_a_corpus_is_the_same_twice_and_its_manifest_true(script, tmp_path):
    for name in "ab":
        (tmp_path / "speech" / name).mkdir(parents=True)
        soundfile.write(tmp_path / "speech" / name / "1.wav", noise(1.5, seed=ord(name)), RATE)
    voices = script.by_speaker([tmp_path / "speech"], ":")
    device, contents = script.SimulatedDevice(4, 1), []
    for out in (tmp_path / "one", tmp_path / "two"):
        out.mkdir()
        plan = script.Plan(out, 0, "dev", RATE, 1.0, voices, (), (), 3, ("none", "conference"), (30.0, 30.0))
        lines = [script.recorded(device, clip, plan) for clip in range(6)]
        contents.append([(out / line["path"]).read_bytes() for line in lines])
    assert contents[0] == contents[1]
    assert len(set(contents[0])) == 6
    assert {line["codec"] for line in lines} == {"none", "conference"}
    assert {line["response"] for line in lines} == {"drawn"}
    assert {line["speaker"] for line in lines} <= {"a", "b"}
    assert {line["room"] for line in lines} <= {"drawn-0", "drawn-1", "drawn-2"}
    info = soundfile.info(out / lines[0]["path"])
    assert (info.samplerate, info.frames, info.subtype) == (RATE, RATE, "PCM_16")
