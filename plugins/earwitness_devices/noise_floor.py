"""`noise_floor`: the spectrum under the speech, and how it moves."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from earwitness.types import FloatArray
from earwitness_devices._frames import frame_lengths, log_bands, sort_frames
from earwitness_devices._tones import steady_tones

SCATTER_FLOOR = np.float32(1e-6)
"""Added to a sum of squares before dividing by it: what never moves has correlations of zero."""


@dataclass(frozen=True, slots=True)
class NoiseFloor:
    """What a device adds of its own: low quantiles of the log spectrum over time, and the unrest of quiet frames.

    x_t[m] is the log power of frame t in band m, frames of digital silence left out. The window's one row is

        q_p[m] - h_p, q_p[m] = the p-quantile of x_t[m] over t,  h_p = mean over m of q_p[m],  p in `quantiles`;
        s[m] = deviation of x_t[m] over quiet frames t;
        sum d_t[m] d_{t+l}[m] / sum d_t[m]^2,  l in `lags`,  d_t = x_t less its mean over quiet frames;
        `steady_tones` of frames twice as long, of bin n m + i in row i,  n bins to a band;
        h_p - h_r,  r the last of `quantiles`,  p the others,

    the correlations over quiet frames whose l-th follower is quiet too. A gain changes none of it. Between words, and
    in most bands even during them, a low quantile hears what the microphone and its converter hiss, hum and gate,
    whoever speaks; tones are hum, switching, USB frames. That near-silent spectra name a microphone: Buchholz,
    Kraetzer and Dittmann, Microphone classification using Fourier coefficients, Information Hiding 2009; that minima
    over time follow the noise under speech: Martin, Noise power spectral density estimation based on optimal
    smoothing and minimum statistics, IEEE TSAP 9(5), 2001. The statistics are ours.

    Args:
        frame_ms: Length of a frame.
        hop_ms: From one frame to the next.
        bands: Equal bands up to half the rate.
        quantiles: Shares of frames below.
        lags: Distances in frames of the autocorrelation.
    """

    name: ClassVar[str] = "noise_floor"
    frame_ms: float = 32.0
    hop_ms: float = 16.0
    bands: int = 128
    quantiles: tuple[float, ...] = (0.02, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98)
    lags: tuple[int, ...] = (1, 2, 4)

    def __call__(self, samples: FloatArray, rate: int) -> FloatArray:
        """(B, n) -> (B, 1, dims), 2055 of them by default.

        Raises:
            OptionError: More bands than the frame bears.
        """
        return np.stack([self._row(window, rate) for window in samples])[:, None]

    def _row(self, window: FloatArray, rate: int) -> FloatArray:
        """One window (n,) -> (dims,)."""
        frame, hop = frame_lengths(rate, self.frame_ms, self.hop_ms)
        x = log_bands(window, frame, hop, self.bands)
        quantiles = self._quantiles(x)
        heights = quantiles.mean(axis=1)
        rows = [*(quantiles - heights[:, None]), *self._unrest(x), *self._tones(window, 2 * frame)]
        return np.concatenate([*rows, heights[:-1] - heights[-1]], dtype=np.float32)

    def _quantiles(self, x: FloatArray) -> FloatArray:
        """At the nearest ranks over frames: (frames, bands) -> (quantiles, bands)."""
        ranks = [round(share * (len(x) - 1)) for share in self.quantiles]
        # whole sorts are vectorised, and ten times as fast as a partition
        return np.asarray(np.sort(x, axis=0)[ranks])

    def _unrest(self, x: FloatArray) -> list[FloatArray]:
        """The deviation of quiet frames and their autocorrelations: (frames, bands) -> 1 + lags of (bands,)."""
        quiet, _ = sort_frames(x)
        d = np.where(quiet[:, None], x - x[quiet].mean(axis=0), np.float32(0))
        scatter = np.square(d).sum(axis=0)
        correlations = [(d[lag:] * d[:-lag]).sum(axis=0) / (scatter + SCATTER_FLOOR) for lag in self.lags]
        return [np.sqrt(scatter / quiet.sum()), *correlations]

    def _tones(self, window: FloatArray, frame: int) -> FloatArray:
        """(n,) -> (bins of a band, bands)."""
        tones = steady_tones(window, frame)
        bins = len(tones) // self.bands
        return tones[: bins * self.bands].reshape(self.bands, bins).T
