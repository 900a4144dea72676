"""The grid of conditions: each does to a sound what its name says, the same at every run, and says when it can't."""

import av
import numpy as np
import pytest
import soundfile
from scipy.signal import correlate, correlation_lags, welch

from earwitness.errors import OptionError, UnknownPartError
from earwitness.evaluation.conditions import CONDITIONS, choose_conditions, conditioned
from earwitness.manifest import Row
from earwitness.plugins import Catalogue, load_catalogue

RATE = 24000


def sound(seconds=2.0, seed=0):
    """(n,): noise of all frequencies, louder and softer."""
    time = np.arange(round(seconds * RATE)) / RATE
    noise = 0.1 * np.random.default_rng(seed).standard_normal(len(time)) * (1 + 0.5 * np.sin(2 * np.pi * 3 * time))
    return noise.astype(np.float32)


def after(name, samples, number=0):
    return CONDITIONS[name](samples, RATE, load_catalogue(), number)


def power_between(samples, low, high):
    """Power in a band, in dB."""
    frequencies, power = welch(samples, RATE, nperseg=1024)
    return 10 * np.log10(power[(frequencies >= low) & (frequencies < high)].mean())


def test_the_grid_holds_what_it_promises():
    names = "clean mp3 aac opus amr telephone noise20 noise10 1s 3s 5s 10s"
    assert choose_conditions(["all"], load_catalogue()) == tuple(names.split())
    assert choose_conditions(["mp3", "1s", "mp3"], load_catalogue()) == ("mp3", "1s")
    assert choose_conditions([], load_catalogue()) == ()


def test_clean_changes_nothing():
    np.testing.assert_array_equal(after("clean", sound()), sound())


@pytest.mark.parametrize(("name", "ratio"), [("noise20", 20), ("noise10", 10)])
def test_noise_lies_as_far_below_as_it_says(name, ratio):
    added = after(name, sound()) - sound()
    assert 10 * np.log10(np.mean(sound() ** 2) / np.mean(added**2)) == pytest.approx(ratio, abs=0.01)
    assert power_between(added, 500, 4000) == pytest.approx(power_between(added, 8000, 11500), abs=1)  # white


def test_a_telephone_keeps_its_band_and_no_more():
    called = after("telephone", sound())
    assert power_between(called, 500, 3000) == pytest.approx(power_between(sound(), 500, 3000), abs=1)
    for low, high in ((0, 100), (4200, 11500)):
        assert power_between(called, low, high) < power_between(sound(), low, high) - 20


def test_amr_has_no_sound_above_its_half_rate():
    assert power_between(after("amr", sound()), 4200, 11500) < power_between(sound(), 4200, 11500) - 30


@pytest.mark.parametrize("name", ["mp3", "aac", "opus"])
def test_a_codec_loses_something_but_stays_in_time(name):
    coded = after(name, sound())
    assert len(coded) == len(sound())
    assert not np.array_equal(coded, sound())
    assert correlation_lags(len(coded), len(coded))[np.argmax(correlate(coded, sound()))] == 0


@pytest.mark.parametrize(("name", "seconds"), [("1s", 1), ("3s", 3), ("5s", 5), ("10s", 10)])
def test_a_cut_is_the_middle_and_a_shorter_clip_stays_whole(name, seconds):
    long = np.arange(20 * RATE, dtype=np.float32)
    cut = after(name, long)
    assert len(cut) == seconds * RATE
    assert cut.mean() == pytest.approx(long.mean())
    np.testing.assert_array_equal(after(name, long[: RATE // 2]), long[: RATE // 2])


def test_the_same_clip_the_same_noise_another_clip_another():
    np.testing.assert_array_equal(after("noise10", sound(), 3), after("noise10", sound(), 3))
    assert not np.array_equal(after("noise10", sound(), 3), after("noise10", sound(), 4))


def test_what_is_not_in_the_grid_is_told():
    with pytest.raises(OptionError, match="no condition 'mp4': give 'all' or some of clean, mp3"):
        choose_conditions(["clean", "mp4"], load_catalogue())


def test_a_degradation_that_no_plugin_offers_is_told_before_the_work():
    with pytest.raises(UnknownPartError, match="no plugin offers the degradation 'codec'"):
        choose_conditions(["mp3"], Catalogue([]))


def test_a_codec_that_the_machine_lacks_is_told_in_one_sentence_before_the_work(monkeypatch):
    create = av.CodecContext.create

    class Poorer:
        """PyAV without AMR."""

        @staticmethod
        def create(name, mode):
            return create("nonesuch" if name == "libopencore_amrnb" else name, mode)

    monkeypatch.setattr(av, "CodecContext", Poorer)
    with pytest.raises(OptionError, match=r"without nonesuch.*choose another codec$"):
        choose_conditions(["mp3", "amr"], load_catalogue())


def test_clips_are_written_at_their_own_rate_and_stretches_alone(tmp_path):
    soundfile.write(tmp_path / "a.wav", sound(4.0), RATE, subtype="FLOAT")
    columns = {"speaker": "eve"}
    rows = [Row(tmp_path / "a.wav", 2, "a", None, "test", None, None, columns)]
    rows.append(Row(tmp_path / "a.wav", 3, "b", None, "test", 1.0, 2.5, columns))
    (tmp_path / "out").mkdir()
    shown = []

    def bar(steps, total, what):
        shown.append((total, what))
        yield from steps

    whole, part = conditioned(rows, "clean", tmp_path / "out", load_catalogue(), bar)
    for written, expected in ((whole, sound(4.0)), (part, sound(4.0)[RATE : round(2.5 * RATE)])):
        samples, rate = soundfile.read(written.path, dtype="float32")
        assert rate == RATE
        np.testing.assert_array_equal(samples, expected)
    assert (part.source, part.line, part.start, part.end, part.columns) == ("b", 3, None, None, columns)
    assert shown == [(2, "making clean")]
