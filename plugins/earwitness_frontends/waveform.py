"""`waveform`: the samples themselves, for networks that learn their own filters."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from earwitness.types import FloatArray


@dataclass(frozen=True, slots=True)
class Waveform:
    """One value a frame: a network such as RawNet2 (Jung et al., Interspeech 2020) takes it from here."""

    name: ClassVar[str] = "waveform"

    def __call__(self, samples: FloatArray, rate: int) -> FloatArray:  # noqa: ARG002
        """(B, n) -> (B, n, 1)."""
        return samples[..., np.newaxis]
