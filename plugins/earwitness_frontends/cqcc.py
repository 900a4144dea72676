"""`cqcc60`: constant-Q cepstral coefficients with their changes."""

from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np

from earwitness.errors import OptionError
from earwitness.types import FloatArray
from earwitness_frontends._cepstrum import dct, deltas
from earwitness_frontends._constant_q import centres, constant_q
from earwitness_frontends._spectrum import FLOOR

DIVISIONS = 16
"""Points in the lowest octave of the linear frequencies that the log power is read at."""


@dataclass(frozen=True, slots=True)
class Cqcc:
    """Cepstra of a spectrum with bins as even as notes are; with delta and delta-delta.

    With y_k(t) the constant-Q transform (`_constant_q`), l_t(f) the straight lines through ln |y_k(t)|^2 at the
    centres f_k, and g_1 ... g_L frequencies from f_1 up in steps of f_1 (2^(16/B) - 1), the widest 16 bins of the
    lowest octave:

        c_t[j] = sum_i a_j l_t(g_i) cos(pi j (i - 1/2) / L),  the orthonormal DCT-II;

    then five-frame slopes of c, and slopes of these. Todisco, Delgado and Evans, Constant Q cepstral coefficients,
    Computer Speech & Language 45, 2017: 96 bins in each of 9 octaves up to half the rate, with their bandwidths' offset
    of 228.7 Hz (`gamma` of their program), 20 coefficients with c0; they draw cubic splines where these are straight
    lines. 60 values a frame as in Yan et al., System Fingerprint Recognition for Deepfake Audio, 2023. Reading at g and
    the DCT are linear, so both together are one matrix.

    Args:
        coefficients: Cepstra kept, c0 first; a frame has three times as many values.
        octaves: Down from half the rate.
        bins: Bins an octave.
        offset: Hz added to a centre before the constant Q gives its bandwidth, so that low bins aren't too slow.
        hop_ms: From one frame to the next.
    """

    name: ClassVar[str] = "cqcc60"
    coefficients: int = 20
    octaves: int = 9
    bins: int = 96
    offset: float = 228.7
    hop_ms: float = 10.0

    def __call__(self, samples: FloatArray, rate: int) -> FloatArray:
        """(B, n) -> (B, frames, 3 x coefficients).

        Raises:
            OptionError: More coefficients than bins.
        """
        if self.coefficients > self.octaves * self.bins:
            raise OptionError(
                f"{self.octaves * self.bins} bins don't bear {self.coefficients} coefficients: ask for fewer"
            )
        static = np.stack([self._cepstra(window, rate) for window in samples])
        delta = deltas(static)
        return np.concatenate([static, delta, deltas(delta)], axis=-1)

    def _cepstra(self, window: FloatArray, rate: int) -> FloatArray:
        """One window (n,) -> (frames, coefficients)."""
        y = constant_q(window, rate, round(self.hop_ms * rate / 1000), self.octaves, self.bins, self.offset)
        power = np.square(y.real) + np.square(y.imag)  # (bins, frames)
        logs = np.log(np.maximum(power, FLOOR, out=power), out=power)
        return np.asarray(logs.T @ _reading(self.octaves, self.bins, self.coefficients))


@cache
def _reading(octaves: int, bins: int, coefficients: int) -> FloatArray:
    """From log power at the bins to cepstra of it at linear frequencies, (octaves * bins, coefficients)."""
    f = centres(2, octaves, bins)
    g = np.arange(f[0], f[-1], f[0] * (2 ** (DIVISIONS / bins) - 1))
    after = np.clip(np.searchsorted(f, g, side="right"), 1, len(f) - 1)
    share = ((g - f[after - 1]) / (f[after] - f[after - 1]))[:, None]
    basis = dct(len(g), coefficients)
    matrix = np.zeros((len(f), coefficients))
    np.add.at(matrix, after - 1, (1 - share) * basis)
    np.add.at(matrix, after, share * basis)
    return matrix.astype(np.float32)
