"""A second look at where a clip changes its source, in shorter windows and about the change alone.

A window that hears two sources doesn't tell where in it the one gives way to the other, so that a change is placed
(`earwitness.change_point`) within some share of a window: windows a quarter as long place it four times as finely. A
model is used to windows of one length; shorter ones are repeated to fill it, as short clips are.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from earwitness.audio import Fallback
from earwitness.change_point import change_point
from earwitness.contracts import Frontend
from earwitness.listening import Excerpt, listen
from earwitness.model import Model
from earwitness.types import FloatArray, Mixed

__all__ = ["look_again"]

SHARE = 4
"""How many short windows make one of a model's."""
OVERLAP = 4
"""How many short windows begin within the length of one."""
REACH = 2.0
"""Windows' lengths to either side of the change that are heard again; it is looked for within one of them."""
PLACES = 161


@dataclass(frozen=True, slots=True)
class _Repeated:
    """A frontend that hears each window `SHARE` times over."""

    frontend: Frontend
    name: ClassVar[str] = "repeated"

    def __call__(self, samples: FloatArray, rate: int) -> FloatArray:
        """(B, n) -> (B, frames, dims)."""
        return self.frontend(np.tile(samples, (1, SHARE)), rate)


def look_again(mixed: Mixed, excerpt: Excerpt, models: Sequence[Model], fallback: Fallback | None = None) -> Mixed:
    """A change of source with its second placed anew, or as it was where nothing is heard there.

    Args:
        mixed: The change, its second counted from the excerpt's start.
        excerpt: The file, or what was heard of it.
        models: Those that hear windows.
        fallback: Reads what core can't.
    """
    length = max(float(model.pipeline.window) for model in models)
    (heard,) = listen([_about(mixed.at, REACH * length, excerpt)], [*map(_closer, models)], fallback=fallback)
    tracks = [track for track in heard.tracks.values() if not track.abstention]
    if not tracks:
        return mixed
    start = max(0.0, mixed.at - REACH * length)
    first = max(mixed.at - start - length, *(float(track.starts[0]) + track.seconds / 2 for track in tracks))
    last = min(mixed.at - start + length, *(float(track.starts[-1]) + track.seconds / 2 for track in tracks))
    if first >= last:
        return mixed
    return replace(mixed, at=start + change_point(tracks, np.linspace(first, last, PLACES)))


def _about(at: float, reach: float, excerpt: Excerpt) -> Excerpt:
    """The part of an excerpt that lies within `reach` seconds of its second `at`."""
    origin = excerpt.start or 0.0
    end = origin + at + reach
    return replace(
        excerpt, start=origin + max(0.0, at - reach), end=end if excerpt.end is None else min(end, excerpt.end)
    )


def _closer(model: Model) -> Model:
    """The same model, hearing shorter windows."""
    pipeline = model.pipeline
    window = float(pipeline.window) / SHARE
    return replace(
        model,
        pipeline=replace(pipeline, window=window, hop=window / OVERLAP, frontend=_Repeated(pipeline.frontend)),
    )
