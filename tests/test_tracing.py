"""Traces: tracers hear stretches of a minute at the native rate, what goes on is joined, and nothing is enrolled."""

import json
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import combine_pvalues, norm

from earwitness.audio import open_audio, read_clip
from earwitness.contracts import Tracer
from earwitness.plugins import load_catalogue
from earwitness.stretches import STRETCH, Stretches, joined
from earwitness.tracing import NOTHING, Traced, all_tracers, trace_clips
from earwitness.types import Trace
from earwitness.windows import levelled

RATE = 8000
KOKORO = Trace("upsampling", 80.0, "24 kHz, hop 300", 4.0, 1e-6, (15, 30), 0.0, STRETCH)
MP3 = Trace("codec", 38.28, "MP3 at 44.1 kHz", 3.0, 1e-3, (1, 2), 0.0, STRETCH)


@dataclass(frozen=True)
class Loud:
    """Sees a lattice wherever samples come in unlike pairs, from the first pair to the last."""

    name: ClassVar[str] = "loud"

    def __call__(self, clip):
        even, odd = np.abs(clip.samples).reshape(-1, 2).T
        pairs = np.flatnonzero(even > 1.5 * odd)
        if not len(pairs):
            return ()
        start, end = 2 * pairs[0] / clip.rate, 2 * (pairs[-1] + 1) / clip.rate
        return (replace(KOKORO, z=5.0, start=float(start), end=float(end)),)


def at(trace, stretch, **changes):
    """The trace as found in the given stretch."""
    return replace(trace, start=STRETCH * stretch, end=STRETCH * (stretch + 1), **changes)


def test_a_run_is_one_trace_by_stouffers_z():
    zs = [2.0, 3.5, 1.2]
    (trace,) = joined([[at(KOKORO, k, z=z, lines=(15, 15 * (k + 2)))] for k, z in enumerate(zs)])
    reference = combine_pvalues(norm.sf(zs), method="stouffer").statistic
    assert trace.z == pytest.approx(reference)
    assert (trace.start, trace.end) == (0.0, 3 * STRETCH)
    assert trace.lines == (15, 30, 45, 60)
    assert trace.p_value == pytest.approx(3e-6)


def test_a_gap_or_another_reading_parts_a_run():
    other = replace(KOKORO, reading="22.05 kHz, hop 256", spacing_hz=86.13)
    found = joined([[KOKORO, MP3], [at(KOKORO, 1)], [], [at(KOKORO, 3), at(other, 3)], [at(other, 4)]])
    assert [(trace.reading, trace.start, trace.end) for trace in found] == [
        (KOKORO.reading, 0.0, 120.0),
        (MP3.reading, 0.0, 60.0),
        (other.reading, 180.0, 300.0),
        (KOKORO.reading, 180.0, 240.0),
    ]


def test_a_trace_of_many_stretches_answers_for_all_that_showed_none():
    """Chance had a hundred stretches to show itself in."""
    (trace,) = joined([*[[]] * 50, [at(MP3, 50)], *[[]] * 49])
    assert trace.p_value == pytest.approx(0.1)
    (trace,) = joined([*[[]] * 5000, [at(MP3, 5000)]])
    assert trace.p_value == 1.0


def test_two_of_one_reading_in_a_stretch_stay_two():
    first, second = replace(KOKORO, end=10.0), replace(KOKORO, start=40.0)
    found = joined([[first, second], [at(KOKORO, 1)]])
    assert len(found) == 2
    assert sum(trace.end - trace.start for trace in found) >= STRETCH


@given(st.lists(st.lists(st.sampled_from([KOKORO, MP3]), unique=True), max_size=8))
def test_no_trace_is_lost_or_made(stretches):
    stretches = [[at(trace, k) for trace in traces] for k, traces in enumerate(stretches)]
    found = joined(stretches)
    seconds = sum(trace.end - trace.start for trace in found)
    assert seconds == STRETCH * sum(map(len, stretches))
    assert list(found) == sorted(found, key=lambda trace: trace.start)
    for trace in found:
        n = round((trace.end - trace.start) / STRETCH)
        single = KOKORO if trace.kind == "upsampling" else MP3
        assert trace.z == pytest.approx(single.z * n**0.5)


def long_clip(path, minutes):
    """A buzz of equal samples, which come in unlike pairs from 50 s to 130 s, and for a second at 250 s."""
    samples = np.tile(np.array([0.1, 0.1, -0.1, -0.1], np.float32), round(minutes * 15 * RATE))
    for stretch in (slice(50 * RATE, 130 * RATE), slice(250 * RATE, 251 * RATE)):
        samples[stretch][1::2] /= 2
    soundfile.write(path, samples, RATE, subtype="FLOAT")
    return path


def test_stretches_are_heard_at_the_native_rate_and_shifted_to_their_place(tmp_path):
    path = long_clip(tmp_path / "a.wav", 4.5)
    with open_audio(path) as audio:
        stretches = Stretches([Loud()], audio)
        for block in audio.blocks():
            stretches.hear(block)
        stretches.finish()
    first, second = stretches.traces
    assert (first.start, first.end, first.z) == (50.0, 130.0, pytest.approx(5 * 3**0.5))
    assert (second.start, second.end, second.z) == (250.0, 251.0, 5.0)
    assert first.p_value == pytest.approx(5e-6)  # of five stretches


def test_each_stretch_is_a_clip_that_can_be_read_again(tmp_path):
    path, shown = long_clip(tmp_path / "a.wav", 2.1), []

    class Keep:
        name = "keep"

        def __call__(self, clip):
            shown.append(clip)
            return ()

    assert isinstance(Keep(), Tracer)
    (traced,) = trace_clips([path], [Keep()])
    assert (traced.traces, traced.warnings, traced.error) == ((), (), None)
    assert [len(clip.samples) / RATE for clip in shown] == [60.0, 60.0, 6.0]
    for k, clip in enumerate(shown):
        again = read_clip(path, start=60.0 * k, end=min(60.0 * (k + 1), 126.0))
        np.testing.assert_array_equal(clip.samples, levelled(again.samples, again.rate))
        assert clip.origin == again.origin


def test_a_clip_that_cannot_be_heard_is_an_error_among_the_others(tmp_path):
    path = long_clip(tmp_path / "a.wav", 4.5)
    good, gone, again = trace_clips([path, tmp_path / "gone.wav", path], [Loud()])
    assert good == again
    assert good.duration == 270.0
    assert len(good.traces) == 2
    assert "does not exist" in gone.error
    assert (gone.sha256, gone.duration, gone.traces) == (None, None, ())


def test_tracers_come_by_name_from_the_catalogue(tracer):
    tracers = all_tracers(load_catalogue())
    assert [each.name for each in tracers] == sorted(each.name for each in tracers)
    assert "acme" in [each.name for each in tracers]
    assert tracer in [getattr(each, "reading", None) for each in tracers]


@pytest.fixture
def sounds(tmp_path):
    """A clip that sounds and one that is silent."""
    noise = 0.1 * np.random.default_rng(0).standard_normal(3 * RATE)
    soundfile.write(tmp_path / "loud.wav", noise, RATE)
    soundfile.write(tmp_path / "silent.wav", np.zeros(3 * RATE), RATE)
    return tmp_path / "loud.wav", tmp_path / "silent.wav"


def test_the_command_needs_no_registry(tracer, sounds, call, tmp_path, monkeypatch):
    monkeypatch.setenv("EARWITNESS_REGISTRY", str(tmp_path / "no registry"))
    done = call("trace", *sounds, "--json")
    loud, silent = json.loads(done.out)
    assert (done.code, done.err) == (0, "")
    assert list(loud) == ["clip", "sha256", "duration", "traces", "warnings", "error"]
    assert (loud["clip"], loud["duration"], loud["error"]) == (str(sounds[0]), 3.0, None)
    (trace,) = [trace for trace in loud["traces"] if trace["reading"] == tracer]
    assert list(trace) == ["kind", "spacing_hz", "reading", "z", "p_value", "lines", "start", "end"]
    assert (trace["kind"], trace["lines"][:2], trace["end"]) == ("upsampling", [15, 30], 3.0)
    assert silent["traces"] == []


def test_a_trace_is_one_sentence_and_silence_proves_nothing(tracer, sounds, call):
    done = call("trace", *sounds)
    assert (
        f"an upsampling lattice every 80 Hz ({tracer}), z 9.1, p 1e-08, "
        "lines 15, 30, 45, 60, 75, 90, 105, 120 ..., 0.0 s to 3.0 s\n"
    ) in done.out
    assert f"{sounds[1]}\n  no trace found, which proves nothing\n" in done.out
    helped = call("trace", "--help").out
    assert all(word in helped for word in ("proves nothing", "genuine speech", "diffusion vocoders", "noise"))


def test_a_failed_clip_is_told_and_the_rest_goes_on(tracer, sounds, call, tmp_path):
    (tmp_path / "torn.wav").write_bytes(b"RIFF")
    done = call("trace", tmp_path / "torn.wav", sounds[0])
    assert (done.code, "1 of 2 failed" in done.err) == (0, True)
    assert tracer in done.out
    assert call("trace", tmp_path / "torn.wav").code == 2


@pytest.mark.parametrize("command", ["trace", "identify"])
def test_traces_are_drawn(command, tracer, made, call, tmp_path):
    pytest.importorskip("matplotlib", reason="drawing needs the extra report")
    clip = next(made.home.glob("test-alpha-*.wav"))
    registry = ("--registry", made.registry) if command == "identify" else ()
    done = call(command, clip, "--plot", tmp_path / "out.png", *registry)
    assert (done.code, tracer in done.out) == (0, True)
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")


def test_a_picture_holds_each_line_at_its_frequency():
    pytest.importorskip("matplotlib", reason="drawing needs the extra report")
    from earwitness import plotting

    figure, axes = plotting.load_pyplot().subplots()
    plotting._traces(Traced("a.wav", traces=(KOKORO, MP3)), axes)
    stems = [[segment[0, 0] for segment in group.get_segments()] for group in axes.collections]
    assert stems == [[1200.0, 2400.0], [38.28, pytest.approx(76.56)]]
    assert [text.get_text() for text in axes.texts] == ["15", "30", "1", "2"]
    assert KOKORO.reading in axes.get_title(loc="left")
    for clip, told in ((Traced("a.wav"), NOTHING), (Traced("a.wav", error="torn"), "torn")):
        axes.clear()
        plotting._traces(clip, axes)
        assert axes.get_title(loc="left") == told
    plotting.load_pyplot().close(figure)
