"""Tracers: what a clip shows of its own making, with nothing enrolled."""

from typing import get_args

import numpy as np

from earwitness.testing.bench import Bench, expect
from earwitness.testing.made import RATE, clip_of, odd_sounds, voice
from earwitness.types import FloatArray, Trace, TraceKind

__all__ = ["RULES", "TracerBench"]

SECONDS = 3.0


def lattice(seed: int) -> FloatArray:
    """(n,): noise held still for 80 frames a second, as a careless decoder upsamples."""
    frames = np.random.default_rng(seed).standard_normal(round(80 * SECONDS))
    return (0.1 * np.repeat(frames, RATE // 80)).astype(np.float32)


class TracerBench(Bench):
    """A tracer with clips of three seconds at 16 kHz, some with a lattice of 80 Hz."""

    lively = np.stack([voice(0, SECONDS), voice(1, SECONDS), lattice(0), lattice(1)])
    strange = odd_sounds(round(SECONDS * RATE))

    def traces(self, samples: FloatArray) -> tuple[Trace, ...]:
        """(n,) -> the traces in it."""
        traces: tuple[Trace, ...] = self.part(clip_of(samples))
        return traces

    def answer(self, batch: FloatArray) -> FloatArray:
        """(B, n) -> clip, spacing, z, p-value, start and end of each trace, (traces, 6)."""
        figures = [
            (i, trace.spacing_hz, trace.z, trace.p_value, trace.start, trace.end)
            for i, samples in enumerate(batch)
            for trace in self.traces(samples)
        ]
        return np.array(figures, np.float32).reshape(-1, 6)


def traces_lie_within_the_clip(bench: TracerBench) -> None:
    """Finds traces within the clip: 0 <= start < end <= its length in seconds."""
    for samples in (*bench.batch, *bench.companions):
        for trace in bench.traces(samples):
            inside = 0 <= trace.start < trace.end <= len(samples) / RATE + 1e-6
            expect(inside, f"a trace from {trace.start} s to {trace.end} s in {len(samples) / RATE} s")


def traces_say_what_they_are(bench: TracerBench) -> None:
    """Gives each trace a known kind, a reading, a positive spacing and a p-value in 0..1."""
    for samples in (*bench.batch, *bench.companions):
        for trace in bench.traces(samples):
            expect(trace.kind in get_args(TraceKind), f"{trace.kind!r} is no kind of trace")
            expect(bool(trace.reading.strip()), "a trace has no reading")
            expect(trace.spacing_hz > 0, f"a spacing of {trace.spacing_hz} Hz")
            expect(0 <= trace.p_value <= 1, f"a p-value of {trace.p_value}")


def silence_has_no_trace(bench: TracerBench) -> None:
    """Finds nothing in silence, and nothing in a single sample."""
    for name in ("silence", "one sample"):
        expect(not bench.traces(bench.odd[name][0]), f"a trace in {name}")


RULES = (traces_lie_within_the_clip, traces_say_what_they_are, silence_has_no_trace)
