"""Back from a codec's sample rate to the clip's."""

import numpy as np
import soxr

from earwitness.types import FloatArray


def returned(samples: FloatArray, rate: int, own: int, count: int) -> FloatArray:
    """Samples at `rate` resampled to the clip's `own` (soxr HQ), (count,): there and back may round by one."""
    back = soxr.resample(samples, rate, own)[:count]
    return np.pad(back, (0, count - len(back))).astype(np.float32, copy=False)
