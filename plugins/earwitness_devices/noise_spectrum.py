"""`noise_spectrum`: the spectrum of what wavelet denoising takes away."""

from dataclasses import dataclass
from math import log, sqrt
from typing import ClassVar, Literal

import numpy as np

from earwitness.types import FloatArray

WAVELET, LEVELS = "db8", 5
"""Smooth enough to follow speech, down to 250 Hz at 16 kHz."""

SEGMENT = 4096

NORMAL_MAD = np.float32(0.6745)
"""Median absolute value of a normal variable of deviation 1."""


@dataclass(frozen=True, slots=True)
class NoiseSpectrum:
    """log(|FFT(s - f)| + 1) of segments s of 4096 samples, f their denoised version; 2049 values each.

    With d the wavelet details of s, n its length and sigma = median |d| / 0.6745 over the finest level, f has every
    detail drawn towards zero by t = sigma sqrt(2 ln n). As the transform is linear, s - f is what the parts of d
    within -t ... t alone make up. Qi, Huang, Li and Shi, Audio recording device identification based on deep
    learning, 2016, take such noise for a recorder's fingerprint and leave open which wavelet; threshold: Donoho,
    De-noising by soft-thresholding, IEEE Trans. Information Theory 41(3), 1995.

    Args:
        denoise: `none` takes the spectrum of the segment itself, the paper's baseline.
    """

    name: ClassVar[str] = "noise_spectrum"
    denoise: Literal["wavelet", "none"] = "wavelet"

    def __call__(self, samples: FloatArray, rate: int) -> FloatArray:  # noqa: ARG002
        """(B, n) -> (B, segments, 2049), segments side by side; a window shorter than one is filled with zeros."""
        padded = np.pad(samples, ((0, 0), (0, max(0, SEGMENT - samples.shape[1]))))
        count = padded.shape[1] // SEGMENT
        segments = padded[:, : count * SEGMENT].reshape(len(samples), count, SEGMENT)
        noise = segments if self.denoise == "none" else _noise(segments)
        return np.log1p(np.abs(np.fft.rfft(noise)))


def _noise(segments: FloatArray) -> FloatArray:
    """What soft thresholding takes away: (..., n) -> the same shape."""
    import pywt

    approximation, *details = pywt.wavedec(segments, WAVELET, level=LEVELS)
    sigma = np.median(np.abs(details[-1]), axis=-1, keepdims=True) / NORMAL_MAD
    threshold = sigma * np.float32(sqrt(2 * log(segments.shape[-1])))
    taken = [np.clip(detail, -threshold, threshold) for detail in details]
    return np.asarray(pywt.waverec([np.zeros_like(approximation), *taken], WAVELET), np.float32)
