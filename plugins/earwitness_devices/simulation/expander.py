"""`expander`: clean speech made cleaner, so that a recording's own background tells nothing of the next microphone."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from earwitness.types import FloatArray
from earwitness_devices.simulation._dynamics import Suppressor


@dataclass(frozen=True, slots=True)
class Expander:
    """Take the steady background out of speech, bin by bin, by a depth drawn for each clip.

    Speech corpora carry noise floors and band limits of their own; a device simulated on top of them would be heard
    through those.

    Args:
        depth: The least and most that the background sinks, in dB.
    """

    name: ClassVar[str] = "expander"
    depth: tuple[float, float] = (20.0, 40.0)

    def __call__(self, samples: FloatArray, rate: int, rng: np.random.Generator) -> FloatArray:
        """(n,) -> (n,)."""
        depth = rng.uniform(*self.depth)
        return Suppressor(depth, margin=4.0, quantile=0.1)(samples, rate) if samples.size else samples
