"""`cvsd`: the voice of narrow-band hands-free sets, a bit for every one of 64,000 samples a second."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import soxr
from numpy.typing import NDArray

from earwitness.types import FloatArray
from earwitness_degradations._rates import returned

LINE_RATE, VOICE_RATE = 64_000, 8000  # Hz: what is coded, and what there is on either side of it
RUN = 4  # J = K: equal bits from which on the step grows
LEAST_STEP, MOST_STEP = 10.0, 1280.0  # delta_min and delta_max
STEP_DECAY = 1.0 - 1.0 / 1024.0  # beta
DECAY = 1.0 - 1.0 / 32.0  # h
LOWEST, HIGHEST = -32768.0, 32767.0  # y_min and y_max, in steps of 16 bits


@dataclass(frozen=True, slots=True)
class Cvsd:
    """Code and decode by continuously variable slope delta modulation, as Bluetooth does on a voice link.

    With x(k) the sound at 64 kHz, in steps of 16 bits, b(k) = 1 where x(k) >= r(k - 1) and -1 elsewhere,

        delta(k) = min(delta(k - 1) + 10, 1280) after four equal bits, else max((1 - 1/1024) delta(k - 1), 10),
        r(k) = (1 - 1/32) (r(k - 1) + b(k) delta(k)), cut at full scale;

    the decoder follows the same r by the bits alone. The sound is resampled (soxr HQ) to 8 kHz, from there to 64 kHz,
    and back the same way. Source and constants: Bluetooth Core Specification 5.3, vol. 2, part B, 9.2 and table 9.2.

    Args:
        probability: How often it happens at all.
    """

    name: ClassVar[str] = "cvsd"
    probability: float = 1.0

    def __call__(self, samples: FloatArray, rate: int, rng: np.random.Generator) -> FloatArray:
        """(n,) -> (n,)."""
        if rng.random() >= self.probability or not samples.size:
            return samples
        voice = soxr.resample(samples, rate, VOICE_RATE)
        line = soxr.resample(voice, VOICE_RATE, LINE_RATE)
        followed = _followed(line * -LOWEST) / -LOWEST
        heard = soxr.resample(followed.astype(np.float32), LINE_RATE, VOICE_RATE)
        return returned(heard, VOICE_RATE, rate, len(samples))


def _followed(line: FloatArray) -> NDArray[np.float64]:
    """r(k) of x(k), (n,) -> (n,). Each bit hangs on the one before, and so this is a loop."""
    reference, step, last, run = 0.0, LEAST_STEP, False, 0
    path = []
    for value in line.tolist():
        rising = value >= reference
        run = run + 1 if rising == last else 1
        last = rising
        step = min(step + LEAST_STEP, MOST_STEP) if run >= RUN else max(STEP_DECAY * step, LEAST_STEP)
        reference = DECAY * (min(reference + step, HIGHEST) if rising else max(reference - step, LOWEST))
        path.append(reference)
    return np.array(path)
