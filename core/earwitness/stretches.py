"""What tracers show of a recording as it streams by, stretch by stretch, and stretches joined that show the same."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from earwitness.audio import AudioStream
from earwitness.contracts import Tracer
from earwitness.types import FloatArray, Trace, TraceKind
from earwitness.windows import levelled

__all__ = ["STRETCH", "Stretches"]

STRETCH = 60.0
"""Seconds of sound that a tracer is given at a time, at most."""


class Stretches:
    """Gives a recording to tracers in stretches of a minute at its native rate; memory does not grow with it.

    A stretch is levelled as a window of it is, so that what was computed of one serves the other; a silent one shows
    nothing.
    """

    def __init__(self, tracers: Sequence[Tracer], audio: AudioStream) -> None:
        self._tracers, self._audio = tracers, audio
        self._size = round(STRETCH * audio.rate)
        self._blocks: list[FloatArray] = []
        self._held = 0
        self._found: list[tuple[Trace, ...]] = []

    @property
    def traces(self) -> tuple[Trace, ...]:
        """What was found, complete when the recording is; the earliest first."""
        return joined(self._found)

    def hear(self, block: FloatArray) -> None:
        """Take up the next block (n,)."""
        if not self._tracers:
            return
        self._blocks.append(block)
        self._held += len(block)
        while self._held >= self._size:
            samples = np.concatenate(self._blocks)
            self._trace(samples[: self._size])
            self._blocks, self._held = [samples[self._size :].copy()], self._held - self._size

    def finish(self) -> None:
        """Trace what is left."""
        if self._held:
            self._trace(np.concatenate(self._blocks))

    def _trace(self, samples: FloatArray) -> None:
        begin, level = STRETCH * len(self._found), levelled(samples, self._audio.rate)
        if level is None:
            self._found.append(())
            return
        clip = replace(self._audio.stretch(samples), samples=level)
        found = (trace for tracer in self._tracers for trace in tracer(clip))
        self._found.append(tuple(replace(each, start=begin + each.start, end=begin + each.end) for each in found))


def joined(stretches: Sequence[Sequence[Trace]]) -> tuple[Trace, ...]:
    """Traces of successive stretches, one for each run of stretches that show the same kind and reading.

    A run of n has z = sum z_i / sqrt(n) (Stouffer et al., The American Soldier, 1949, vol. 1, p. 45). Its p-value is
    the smallest of the run times the number of all stretches (Bonferroni): chance had as many to show itself in.
    """
    runs: list[list[Trace]] = []
    last: dict[tuple[TraceKind, str], list[Trace]] = {}  # the runs that the stretch before goes on
    for traces in stretches:
        before, last = last, {}
        for trace in traces:
            key = trace.kind, trace.reading
            if (run := before.pop(key, None)) is None:
                runs.append(run := [])
            run.append(trace)
            last[key] = run
    return tuple(sorted((_one(run, len(stretches)) for run in runs), key=lambda trace: (trace.start, -trace.z)))


def _one(run: Sequence[Trace], stretches: int) -> Trace:
    """A run as one trace, spaced as where it is clearest."""
    return replace(
        max(run, key=lambda trace: trace.z),
        z=sum(trace.z for trace in run) / math.sqrt(len(run)),
        p_value=min(1.0, stretches * min(trace.p_value for trace in run)),
        lines=tuple(sorted({line for trace in run for line in trace.lines})),
        start=run[0].start,
        end=run[-1].end,
    )
