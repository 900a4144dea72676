"""`tandem73`: cepstra, energy, their changes, and the bare bands they come from, side by side."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from earwitness.errors import OptionError
from earwitness.types import FloatArray
from earwitness_frontends._cepstrum import cepstra, deltas
from earwitness_frontends._spectrum import FLOOR, hamming, log_bands


@dataclass(frozen=True, slots=True)
class Tandem:
    """Timing tandem features: what a frame's analysis yields on its way to cepstra, from several steps of it.

    With y(n) = x(n) - a x(n - 1), N the samples of a frame under a Hamming window, P_t its spectrum |Y_t|^2 and
    E_t[m] the energy of P_t in M mel bands, a frame has

        c_t[1] ... c_t[12], MFCC by the orthonormal DCT-II of ln E_t;  ln sum_n y_t(n)^2;
        five-frame slopes of these 13;  slopes of the slopes;
        E_t[1] ... E_t[M] over N, before logarithm and DCT: the 'pre-Fbank'.

    73 values with M = 34, 128 frames a clip: Zeng, Zhao and Wang, Mobile recording device recognition based cross-scale
    and multi-level representation learning, 2023. It leaves open a, the frames' length and which bands the MFCC rest
    on: here 0.97, 30 ms that overlap by half, and the same 34. Dividing by N keeps energies within half precision.

    Args:
        filters: Mel bands.
        coefficients: MFCC kept, from c1 on.
        pre_emphasis: a.
        frame_ms: Length of a frame.
        hop_ms: From one frame to the next.
        frames: Frames given of a window, its first; where they are fewer they begin anew. A window of 1.935 s has 128.
    """

    name: ClassVar[str] = "tandem73"
    filters: int = 34
    coefficients: int = 12
    pre_emphasis: float = 0.97
    frame_ms: float = 30.0
    hop_ms: float = 15.0
    frames: int = 128

    def __call__(self, samples: FloatArray, rate: int) -> FloatArray:
        """(B, n) -> (B, frames, 3 x (coefficients + 1) + filters).

        Raises:
            OptionError: More coefficients than filters bear, or no frame asked for.
        """
        if self.frames < 1:
            raise OptionError(f"a window of {self.frames} frames says nothing: ask for 1 or more")
        y = samples.copy()
        y[:, 1:] -= np.float32(self.pre_emphasis) * samples[:, :-1]
        frame, hop = round(self.frame_ms * rate / 1000), round(self.hop_ms * rate / 1000)
        bands = log_bands(y, rate, "mel", self.filters, self.frame_ms, self.hop_ms, (0.0, None))
        mfcc = cepstra(bands, self.coefficients + 1)[..., 1:]
        static = np.concatenate([mfcc, _log_energies(y, frame, hop)], axis=-1)
        delta = deltas(static)
        found = np.concatenate([static, delta, deltas(delta), np.exp(bands) / np.float32(frame)], axis=-1)
        return found[:, np.arange(self.frames) % found.shape[1]]


def _log_energies(samples: FloatArray, frame: int, hop: int) -> FloatArray:
    """Logarithm of each frame's energy under a Hamming window: (B, n) -> (B, frames, 1), frames as in `log_bands`."""
    padded = np.pad(np.square(samples), ((0, 0), (0, max(0, frame - samples.shape[1]))))
    frames = sliding_window_view(padded, frame, axis=1)[:, ::hop]  # (B, frames, frame), a view
    energies = np.stack([window @ np.square(hamming(frame)) for window in frames])
    return np.asarray(np.log(np.maximum(energies, FLOOR))[..., None])
