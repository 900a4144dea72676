"""`hum`: mains hum that never pauses."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from earwitness.errors import OptionError
from earwitness.types import FloatArray, IntArray
from earwitness_devices._frames import frame_lengths, log_power, power_spectra

REACH = 1
"""Bins to either side in which a line is looked for: mains drift by a few parts in a thousand."""

NEAR, FAR = 3, 7
"""Its neighbours, in bins: clear of the main lobe of the window, and short of the next harmonic."""

QUARTILE = 0.25


@dataclass(frozen=True, slots=True)
class Hum:
    """How far lines at 50 and 60 Hz and their harmonics stand over their neighbours.

    h = max x[i - 1 ... i + 1] - median of x[i - 7 ... i - 3] and x[i + 3 ... i + 7],  i the bin of k f,

    x[i] the lower quartile over frames of the log power in bin i, which voices come and go above; k = 1 ... `harmonics`
    of f = 50 Hz, then of f = 60 Hz. Hum is of a place and its supply more than of a microphone, and is evidence to be
    asked for by name.

    Args:
        frame_ms: Length of a frame, so long that bins lie 2 Hz apart.
        hop_ms: From one frame to the next.
        harmonics: Lines of each mains frequency.
    """

    name: ClassVar[str] = "hum"
    frame_ms: float = 500.0
    hop_ms: float = 125.0
    harmonics: int = 6

    def __call__(self, samples: FloatArray, rate: int) -> FloatArray:
        """(B, n) -> (B, 1, 2 x harmonics).

        Raises:
            OptionError: Lines too near one another or to half the rate for the frame.
        """
        frame, hop = frame_lengths(rate, self.frame_ms, self.hop_ms)
        lines = np.rint(np.outer((50, 60), np.arange(1, self.harmonics + 1)) * frame / rate).astype(np.int64).ravel()
        if lines[0] < FAR or lines.max() + FAR > frame // 2:
            raise OptionError(
                f"frames of {self.frame_ms:g} ms at {rate} Hz don't show {self.harmonics} harmonics of mains hum: "
                "take longer frames or fewer harmonics"
            )
        return np.stack([_lines(power_spectra(window, frame, hop), lines) for window in samples])[:, None]


def _lines(power: FloatArray, lines: IntArray) -> FloatArray:
    """Log ratios of lines to neighbours, of (frames, bins) -> (lines,)."""
    x = np.sort(log_power(power[:, : lines.max() + FAR + 1]), axis=0)
    floor = x[round(QUARTILE * (len(x) - 1))]
    aside = np.arange(NEAR, FAR + 1)
    peaks = floor[lines[:, None] + np.arange(-REACH, REACH + 1)].max(axis=1)
    return np.asarray(peaks - np.median(floor[lines[:, None] + np.r_[-aside, aside]], axis=1), np.float32)
