"""`gsv_mfcc`: what a recording is like as a whole, above the frames it is made of, for networks that read both."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from earwitness.types import FloatArray, State
from earwitness_frontends.gsv import Gsv
from earwitness_frontends.ivector import Ivector
from earwitness_frontends.mfcc39 import Mfcc39


@dataclass(frozen=True, slots=True)
class GsvMfcc:
    """Rows of 39: those of the supervector, a row a component; those of the i-vector; the frames.

    Rows 0 ... C - 1 are the adapted means of `gsv`; then, with `factors` R above 0, `ivector` in ceil(R / 39) rows,
    zeros at its end; then the first frames of `mfcc39`, which begin anew where they are fewer. That is the input of the
    networks of Zeng et al., Spatial and temporal learning representation for end-to-end recording device
    identification, EURASIP JASP, 2021, and of their kin. As rows aren't all frames, a network learns from whole
    windows: `crop` must be the window.

    Args:
        components: C, of the mixture.
        factors: R, directions of the i-vector; 0 leaves it out.
        frames: Frames given of a window.
    """

    name: ClassVar[str] = "gsv_mfcc"
    components: int = 64
    factors: int = 0
    frames: int = 64

    def __call__(self, samples: FloatArray, rate: int) -> FloatArray:
        """The frames that it learns from and adapts to: (B, n) -> (B, frames, 39)."""
        return Mfcc39()(samples, rate)

    def fit(self, clips: Iterable[FloatArray]) -> State:
        """Frames of clips' windows (B, frames, dims) -> the state of `ivector`, or without factors of `gsv`."""
        part = Ivector(self.components, self.factors) if self.factors else Gsv(self.components)
        return part.fit(clips)

    def features(self, state: State, frames: FloatArray) -> FloatArray:
        """(B, frames, dims) -> (B, rows, dims)."""
        count, dims = len(frames), frames.shape[2]
        rows = [Gsv(self.components).features(state, frames).reshape(count, -1, dims)]
        if self.factors:
            found = Ivector(self.components, self.factors).features(state, frames)[:, 0]
            filled = np.pad(found, ((0, 0), (0, -self.factors % dims)))
            rows.append(filled.reshape(count, -1, dims))
        rows.append(frames[:, np.arange(self.frames) % frames.shape[1]])
        return np.concatenate(rows, axis=1)
