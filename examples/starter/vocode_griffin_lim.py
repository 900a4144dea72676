"""Speech made again from its magnitudes alone, by the fast Griffin-Lim algorithm.

Paper: Griffin and Lim 1984, "Signal Estimation from Modified Short-Time Fourier Transform"; Perraudin, Balazs,
Søndergaard 2013, "A Fast Griffin-Lim Algorithm". With P the projection on consistent spectra and C the one on the
wanted magnitudes, t_n = P(C(s_{n-1})) and s_n = t_n + a (t_n - t_{n-1}); a = 0 is the first paper's.
"""

import librosa
import numpy as np
from numpy.typing import NDArray
from scipy.signal import get_window

MEL_BANDS, MEL_TOP_HZ = 80, 8000.0  # of Tacotron 2 and HiFi-GAN

Array = NDArray[np.float64]
Spectrum = NDArray[np.complex128]


def spectrum(samples: Array, size: int, hop: int) -> Spectrum:
    """Return the short-time Fourier transform of samples, shape (frames, size / 2 + 1)."""
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(samples, size), size)[::hop]
    return np.asarray(np.fft.rfft(frames * get_window("hann", size)))


def inverse(spectrum: Spectrum, size: int, hop: int, length: int) -> Array:
    """Return the samples whose transform is nearest to a spectrum, shape (length,)."""
    window = get_window("hann", size)
    frames = (np.fft.irfft(spectrum) * window).reshape(len(spectrum), -1, hop)  # (frames, size / hop, hop)
    weights = (window**2).reshape(-1, hop)
    total = np.zeros((len(frames) + weights.shape[0], hop))
    weight = np.full_like(total, np.finfo(np.float64).eps)
    for part, squares in enumerate(weights):
        total[part : part + len(frames)] += frames[:, part]
        weight[part : part + len(frames)] += squares
    return (total / weight).ravel()[size : size + length]


def through_mel(magnitudes: Array, rate: int, size: int) -> Array:
    """Return magnitudes as 80 mel bands give them back through the pseudo-inverse, shape (frames, bins)."""
    bands = librosa.filters.mel(sr=rate, n_fft=size, n_mels=MEL_BANDS, fmax=MEL_TOP_HZ)  # (bands, bins)
    return np.asarray(np.maximum(magnitudes @ bands.T @ np.linalg.pinv(bands).T, 0.0))


def griffin_lim(
    magnitudes: Array, size: int, hop: int, length: int, iterations: int, momentum: float, rng: np.random.Generator
) -> Array:
    """Return samples of about the wanted magnitudes, from random phases, shape (length,)."""
    guess = np.exp(2j * np.pi * rng.random(magnitudes.shape))
    before = np.zeros_like(guess)
    for _ in range(iterations):
        wanted = magnitudes * np.exp(1j * np.angle(guess))
        consistent = spectrum(inverse(wanted, size, hop, length), size, hop)
        guess, before = consistent + momentum * (consistent - before), consistent
    return inverse(magnitudes * np.exp(1j * np.angle(guess)), size, hop, length)
