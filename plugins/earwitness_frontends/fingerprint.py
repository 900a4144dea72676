"""`fingerprint`: what a low-pass filter takes away of the long spectrum."""

from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np

from earwitness.errors import OptionError
from earwitness.types import FloatArray
from earwitness_frontends._spectrum import FLOOR, power_spectrum

TAPS = 255
"""Of the filter: 53 dB down some 200 Hz over its edge, at 16 kHz."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A training-free fingerprint of a generator: r[k] = mean_t ln |X_t[k]| - mean_t ln |L_t[k]|.

    X_t are spectra of the window under a Hann window, L_t those of the window after a low-pass filter, which stands
    for the voice with the generator's finest marks taken off. Sources are told apart by the distance of r to their
    means (Mahalanobis), or by correlation. Pizarro et al., Single-model attribution of generative speech (arXiv
    2411.14013), with spectra of 128 points every 2 samples and an edge at 1 kHz; or of 2048 every 128. The filter is a
    sinc of 255 taps under a Hamming window.

    Args:
        points: Samples a frame, and points of its transform.
        hop: Samples from one frame to the next.
        edge: Of the low-pass filter, in Hz.
    """

    name: ClassVar[str] = "fingerprint"
    points: int = 128
    hop: int = 2
    edge: float = 1000.0

    def __call__(self, samples: FloatArray, rate: int) -> FloatArray:
        """(B, n) -> (B, 1, points // 2 + 1), for an even number of points without prime factors above 5.

        Raises:
            OptionError: An edge beyond half the rate.
        """
        if not 0 < self.edge < rate / 2:
            raise OptionError(
                f"an edge of {self.edge:g} Hz doesn't fit sound at {rate} Hz: keep it under {rate / 2:g} Hz"
            )
        taps = low_pass(self.edge / rate)
        return np.stack([self._level(x, rate) - self._level(np.convolve(x, taps, "same"), rate) for x in samples])[
            :, None
        ]

    def _level(self, window: FloatArray, rate: int) -> FloatArray:
        """Mean of ln |X_t[k]|: (n,) -> (bins,)."""
        power = power_spectrum(window, rate, self.points, self.hop, (0.0, rate / 2))
        return np.asarray(0.5 * np.log(np.maximum(power, FLOOR)).mean(axis=0))


@cache
def low_pass(edge: float) -> FloatArray:
    """A sinc with its edge at so many periods a sample, under a Hamming window; gain 1 at 0 Hz, (TAPS,)."""
    n = np.arange(TAPS) - TAPS // 2
    taps = np.sinc(2 * edge * n) * np.hamming(TAPS)
    return np.asarray(taps / taps.sum(), np.float32)
