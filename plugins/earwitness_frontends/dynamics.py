"""`dynamics`: how a voice's spectrum moves, as one vector a window."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from earwitness.types import FloatArray
from earwitness_frontends._cepstrum import cepstra
from earwitness_frontends._smoothing import smooth
from earwitness_frontends._spectrum import log_bands

SMOOTHING = 5
"""Bands averaged for the smooth spectrum that is taken away."""

SCATTER_FLOOR = np.float32(1e-6)
"""Added to a variance before dividing by it: what never moves has correlations of zero."""


@dataclass(frozen=True, slots=True)
class Dynamics:
    """Statistics of a log spectrum and of its changes from frame to frame; of the band that telephones carry.

    x_t[m] are log energies in `bands` linear bands up to `high` Hz, held at `floor` nepers under the window's
    largest; the `drop` quietest share of frames, by mean log energy, is left out and the rest closed up.
    c_t is the orthonormal DCT-II of x_t, d_t = x_t - x_{t-1}, e_t = c_t - c_{t-1}, r_t[m] = x_t[m] minus the mean
    of its five bands m - 2 ... m + 2. With means over t, the window's one row is

        mean x[m] - mean over m;  dev x[m];  10th and 90th percentile of x[m], minus the mean of x over t and m;
        mean |d[m]|;  rms d[m];  dev c[j];  mean, 10th and 90th percentile of |e[j]|;
        sum_t d_t[m] d_{t-l}[m] / sum_t d_t[m]^2,  l in `lags`;
        sum_t d_t[m] d_t[m+s] / sqrt(sum_t d_t[m]^2 sum_t d_t[m+s]^2),  s in `spacings`;
        mean r[m];  dev r[m].

    The first line is the voice as its channel colours it; the others are how a synthesiser moves, joins and repeats
    its spectra, which equalisers leave alone and telephones let through. That the changes of a spectrum betray
    synthesis better than the spectrum itself: Sahidullah et al., A Comparison of Features for Synthetic Speech
    Detection, Interspeech 2015.

    Args:
        frame_ms: Length of a frame.
        hop_ms: From one frame to the next.
        bands: Linear bands.
        high: Upper edge of the highest band in Hz, under what telephones cut off.
        floor: Depth kept under the loudest energy, in nepers of power.
        drop: Share of frames left out as pauses.
        lags: Distances in frames of the autocorrelation.
        spacings: Distances in bands of the cross-correlation.
    """

    name: ClassVar[str] = "dynamics"
    frame_ms: float = 25.0
    hop_ms: float = 10.0
    bands: int = 28
    high: float = 3500.0
    floor: float = 14.0
    drop: float = 0.3
    lags: tuple[int, ...] = (1, 2, 3, 5)
    spacings: tuple[int, ...] = (1, 3)

    def __call__(self, samples: FloatArray, rate: int) -> FloatArray:
        """(B, n) -> (B, 1, dims), 492 of them by default.

        Raises:
            OptionError: Bands beyond half the rate.
        """
        edges = 0.0, self.high
        energies = log_bands(samples, rate, "linear", self.bands, self.frame_ms, self.hop_ms, edges)
        return np.stack([self._row(window) for window in energies])[:, None]

    def _row(self, energies: FloatArray) -> FloatArray:
        """One window's (frames, bands) -> (dims,)."""
        x = self._voiced(np.maximum(energies, energies.max() - np.float32(self.floor)))
        c = cepstra(x[None], self.bands)[0]
        d, e = np.diff(x, axis=0), np.abs(np.diff(c, axis=0))
        r = (x - smooth(x, SMOOTHING))[:, SMOOTHING // 2 : -(SMOOTHING // 2)].astype(np.float32)
        centre = x.mean()
        statistics = [
            x.mean(axis=0) - centre,
            x.std(axis=0),
            *(_percentiles(x) - centre),
            np.abs(d).mean(axis=0),
            np.sqrt(np.square(d).mean(axis=0)),
            c.std(axis=0),
            e.mean(axis=0),
            *_percentiles(e),
            *(_correlation(d[lag:], d[:-lag], d, d) for lag in self.lags),
            *(_correlation(d[:, s:], d[:, :-s], d[:, s:], d[:, :-s]) for s in self.spacings),
            r.mean(axis=0),
            r.std(axis=0),
        ]
        return np.concatenate(statistics)

    def _voiced(self, x: FloatArray) -> FloatArray:
        """The louder frames in their order: all but a share `drop` of them, and enough for every lag."""
        least = max(self.lags) + 2
        x = np.pad(x, ((0, max(0, least - len(x))), (0, 0)), mode="edge")
        kept = max(least, len(x) - round(self.drop * len(x)))
        loudest = np.argsort(-x.mean(axis=1), kind="stable")[:kept]
        return x[np.sort(loudest)]


def _percentiles(x: FloatArray) -> FloatArray:
    """The 10th and 90th over frames, at the nearest ranks: (frames, k) -> (2, k)."""
    last = len(x) - 1
    ranks = [round(0.1 * last), round(0.9 * last)]
    return np.partition(x, ranks, axis=0)[ranks]


def _correlation(a: FloatArray, b: FloatArray, a_scatter: FloatArray, b_scatter: FloatArray) -> FloatArray:
    """Sum over frames of a b, over the root of the two scatters' products: (frames, k) -> (k,)."""
    scatter = np.square(a_scatter).sum(axis=0) * np.square(b_scatter).sum(axis=0)
    return np.asarray((a * b).sum(axis=0) / np.sqrt(scatter + SCATTER_FLOOR))
