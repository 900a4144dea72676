"""`conference`: what a web conference does to a microphone before its codec."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from earwitness.types import FloatArray
from earwitness_devices.simulation._dynamics import GainControl, Suppressor


@dataclass(frozen=True, slots=True)
class Conference:
    """Suppress steady noise, bring speech to one level and fill the silence with faint noise.

    The three things that hide a microphone's floor from the far end; the codec of the line is another degradation.

    Args:
        depth: The least and most that steady noise sinks, in dB.
        target: The lowest and highest level of speech, in dB of full scale.
        comfort: The lowest and highest level of the white noise that fills the silence, in dB of full scale.
    """

    name: ClassVar[str] = "conference"
    depth: tuple[float, float] = (8.0, 35.0)
    target: tuple[float, float] = (-28.0, -16.0)
    comfort: tuple[float, float] = (-100.0, -75.0)

    def __call__(self, samples: FloatArray, rate: int, rng: np.random.Generator) -> FloatArray:
        """(n,) -> (n,)."""
        depth, target, comfort = (rng.uniform(*bounds) for bounds in (self.depth, self.target, self.comfort))
        if not samples.size:
            return samples
        quiet = Suppressor(depth, rng.uniform(1.0, 3.0))(samples, rate)
        control = GainControl(target, 25.0, rng.uniform(0.02, 0.2), rng.uniform(0.5, 3.0), floor=-60.0)
        filling = rng.standard_normal(len(samples), dtype=np.float32) * np.float32(10.0 ** (comfort / 20.0))
        return np.clip(control(quiet, rate) + filling, -1.0, 1.0)
