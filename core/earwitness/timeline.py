"""What the experts say of each part of a clip."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from earwitness.change_point import change_point
from earwitness.fusion import Opinions
from earwitness.listening import Track
from earwitness.types import FloatArray, Scores

__all__ = ["Timeline"]

Array = NDArray[np.float64]

PLACES = 41
"""Seconds about a change at which it is looked for."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """The T parts of a clip, as the expert that cuts it most hears them.

    They begin at `starts` (T,) and last `seconds`; `opinions` are what E experts say of each, and `windowed` (E,) tells
    who of them hears parts, and not only the whole. `tracks` are what these heard, unless they abstain.
    """

    starts: FloatArray
    seconds: float
    opinions: Opinions
    windowed: NDArray[np.bool_]
    tracks: tuple[Track, ...]

    @classmethod
    def of(
        cls, tracks: Sequence[Track], scores: Sequence[Scores | None], windowed: Sequence[bool], merits: Array
    ) -> Self:
        """Lay the windows of all experts side by side: of each part an expert says what it says of its nearest window.

        Args:
            tracks: What each of the E experts heard.
            scores: What each says of its windows, None where it abstains.
            windowed: Who of them hears parts.
            merits: The clip's, (Q,).
        """
        counts = [len(each.knownness) if each else 0 for each in scores]
        finest = tracks[int(np.argmax(counts))]
        middles = finest.starts + finest.seconds / 2
        sources = max(each.values.shape[1] for each in scores if each is not None)
        values = np.full((len(middles), len(scores), sources), np.nan)
        knownness = np.full(values.shape[:2], np.nan)
        for at, (track, each) in enumerate(zip(tracks, scores, strict=True)):
            if each is not None:
                nearest = np.abs(middles[:, None] - track.starts - track.seconds / 2).argmin(axis=1)
                values[:, at], knownness[:, at] = each.values[nearest], each.knownness[nearest]
        opinions = Opinions(values, knownness, np.repeat(merits[None], len(middles), axis=0))
        said = zip(tracks, scores, windowed, strict=True)
        apart = tuple(track for track, each, in_parts in said if each is not None and in_parts)
        return cls(finest.starts, finest.seconds, opinions, np.array(windowed), apart)

    @property
    def apart(self) -> Opinions:
        """What is said of the parts by those who hear parts: whoever heard the whole says the same of each."""
        heard = self.opinions
        values = np.where(self.windowed[:, None], heard.values, np.nan)
        return replace(heard, values=values, knownness=np.where(self.windowed, heard.knownness, np.nan))

    def change(self, at: int) -> float:
        """The second about which part `at` takes over from the one before it, within half a part of their middle."""
        middles = self.starts.astype(np.float64) + self.seconds / 2
        about, half = middles[at - 1 : at + 1].mean(), self.seconds / 2
        first, last = max(middles[0], about - half), min(middles[-1], about + half)
        return change_point(self.tracks, np.linspace(first, last, PLACES))
