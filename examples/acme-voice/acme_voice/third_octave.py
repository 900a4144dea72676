"""`third-octave`: the levels of third-octave bands."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from earwitness.types import FloatArray


@dataclass(frozen=True, slots=True)
class ThirdOctave:
    """L_tm = 10 log10 sum_k |X_t[k]|^2 over the bins k of band m, in dB, in frames that overlap by half.

    Averaged over time by the embedder `stats` they are the long-term average spectrum of speech (Byrne et al.,
    An international comparison of long-term average speech spectra, JASA 96(4), 1994).

    Args:
        frame: Seconds a frame; the lowest band needs a few periods of its frequency.
        lowest: Centre of the lowest band in Hz.
        bands: How many; three are an octave.
    """

    name: ClassVar[str] = "third-octave"
    frame: float = 0.064
    lowest: float = 125.0
    bands: int = 18

    def __call__(self, samples: FloatArray, rate: int) -> FloatArray:
        """(B, n) -> (B, frames, bands)."""
        length = round(self.frame * rate)
        samples = np.pad(samples, ((0, 0), (0, max(0, length - samples.shape[1]))))
        frames = sliding_window_view(samples, length, axis=1)[:, :: length // 2]  # (B, frames, length)
        power = np.abs(np.fft.rfft(frames * np.hanning(length).astype(np.float32))) ** 2
        edges = self.lowest * 2 ** ((np.arange(self.bands + 1) - 0.5) / 3)
        bins = np.fft.rfftfreq(length, 1 / rate)[:, None]
        inside = (edges[:-1] <= bins) & (bins < edges[1:])  # (bins, bands)
        levels = 10 * np.log10(np.maximum(power @ inside.astype(np.float32), 1e-10))
        return levels.astype(np.float32)
