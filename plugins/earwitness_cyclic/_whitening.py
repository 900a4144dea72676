"""Whitening: formants, rooms, microphones and loudness taken out of a sound, and its fine structure kept."""

from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from earwitness.types import FloatArray

HOP = 0.0085
"""Seconds between frames, about: in samples it is a prime, which no lattice has a line in common with."""

SMOOTHING = 280.0
"""Hz over which a frame's magnitudes are averaged: wider than a lattice's spacing, narrower than a formant."""

FLOOR = 1e-6
"""Least magnitude of a frame before dividing by it, as a share of full scale: digital silence stays silent."""

BLOCK = 128
"""Frames transformed at once, so that they stay in the cache."""


@cache
def fast_length(least: int) -> int:
    """The least length from `least` on with no prime factor above 7: prime lengths cost tenfold."""
    return next(length for length in range(least, 2 * least + 1) if 210 ** length.bit_length() % length == 0)


@cache
def prime_from(least: int) -> int:
    """The least prime from `least` on."""
    return next(n for n in range(least, 2 * least) if all(n % d for d in range(2, int(n**0.5) + 1)))


def whiten(samples: FloatArray, rate: int) -> FloatArray:
    """Divide each short-time spectrum by its own smoothed magnitude, and overlap-add.

    y = sum_t w . IDFT(X_t / (smooth |X_t| + floor)), X_t the transform of frame t of x under w; w is a periodic Hann
    window of four hops, and the frame is filled with zeros to a fast length.

    Args:
        samples: (n,) float32, at any level.
        rate: In Hz.

    Returns:
        (n,) float32, about white and of about unit power wherever there is sound.
    """
    hop = prime_from(round(HOP * rate))
    frame = 4 * hop
    level = np.abs(samples).max(initial=0.0)
    padded = np.pad(samples / level if level > 0 else samples, (frame, frame + hop))
    frames = sliding_window_view(padded, frame)[::hop]  # (frames, frame), a view
    parts = np.zeros((len(frames) + 3, hop), np.float32)
    for start in range(0, len(frames), BLOCK):
        flat = _flatten(frames[start : start + BLOCK], rate).reshape(-1, 4, hop)
        for quarter in range(4):
            parts[start + quarter : start + quarter + len(flat)] += flat[:, quarter]
    return parts.ravel()[frame : frame + len(samples)]


def _flatten(frames: FloatArray, rate: int) -> FloatArray:
    """Windowed, whitened and windowed again: (frames, frame) -> (frames, frame)."""
    frame = frames.shape[1]
    size = fast_length(frame)
    window = np.hanning(frame + 1)[:-1].astype(np.float32)
    spectra = np.fft.rfft(frames * window, size)
    magnitudes = mean_over(np.abs(spectra), round(SMOOTHING / 2 * size / rate))
    # the window's energy is 3/8 of its length, and four overlapped squares of it sum to 3/2
    spectra /= (magnitudes + np.float32(FLOOR * frame)) * np.float32(1.5 / np.sqrt(0.375 * frame))
    return np.asarray(np.fft.irfft(spectra, size)[:, :frame] * window)


def mean_over(values: FloatArray, half: int) -> FloatArray:
    """Mean over `half` neighbours on either side and oneself, fewer at the ends: (..., m) -> (..., m)."""
    count = values.shape[-1]
    half = min(half, count - 1)
    sums = np.zeros((*values.shape[:-1], count + 2 * half + 1))
    np.cumsum(values, axis=-1, out=sums[..., half + 1 : half + 1 + count])
    sums[..., half + 1 + count :] = sums[..., [half + count]]
    place = np.arange(count)
    members = np.minimum(place + half + 1, count) - np.maximum(place - half, 0)
    means: FloatArray = ((sums[..., 2 * half + 1 :] - sums[..., :count]) / members).astype(np.float32)
    return means
