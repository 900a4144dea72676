"""Short-time spectra, in blocks that stay in the cache, and which of their frames are quiet and which speak."""

from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from earwitness.errors import OptionError
from earwitness.types import FloatArray

BLOCK_FRAMES = 128
"""At 16 kHz a block of frames of 32 ms and its spectrum take 0.5 MB: half of a usual L2 cache."""

FLOOR = np.float32(1e-10)
"""Least power before the logarithm: 100 dB under that of a window, whose root mean square is 1."""

SILENT = np.log(FLOOR)

LEAKED = 2
"""Bins that a constant offset reaches under a Hann window; bands begin above them."""

LOW, HIGH = 5.0, 95.0
QUIET, SPEECH = 0.25, 0.6
"""How far up from the quietest to the loudest a quiet frame reaches, and speech begins."""


def frame_lengths(rate: int, frame_ms: float, hop_ms: float) -> tuple[int, int]:
    """A frame and a hop in samples."""
    return round(frame_ms * rate / 1000), round(hop_ms * rate / 1000)


def power_spectra(window: FloatArray, frame: int, hop: int) -> FloatArray:
    """|X_t|^2 / sum w^2 of frames under a periodic Hann window w: (n,) -> (frames, frame // 2 + 1).

    White noise of variance 1 has a mean of 1 in every bin. Frames begin at the first sample and lie wholly inside the
    window of sound; one shorter than a frame is filled with zeros to make one.
    """
    padded = np.pad(window, (0, max(0, frame - len(window))))
    frames = sliding_window_view(padded, frame)[::hop]  # (frames, frame), a view
    power = np.empty((len(frames), frame // 2 + 1), np.float32)
    for start in range(0, len(frames), BLOCK_FRAMES):
        block = slice(start, start + BLOCK_FRAMES)
        spectrum = np.fft.rfft(frames[block] * _hann(frame))
        np.square(spectrum.real, out=power[block])
        power[block] += np.square(spectrum.imag)
    return power


def log_power(power: FloatArray) -> FloatArray:
    """Natural logarithm of a power, which is held at `FLOOR`."""
    return np.log(np.maximum(power, FLOOR))


def log_bands(window: FloatArray, frame: int, hop: int, bands: int) -> FloatArray:
    """Log of the mean power in equal bands up to half the rate, of the frames that were recorded.

    Frames of digital silence are left out, unless there is nothing else: no microphone made them.

    Args:
        window: (n,).
        frame: Samples a frame.
        hop: Samples from one frame to the next.
        bands: How many bands share the bins of the transform, from bin 2 on.

    Returns:
        (frames, bands) float32, at least one frame.

    Raises:
        OptionError: More bands than bins.
    """
    x = log_power(power_spectra(window, frame, hop) @ _bank(frame, bands))
    recorded = x.max(axis=1) > SILENT
    return x[recorded] if recorded.any() else x[:1]


def sort_frames(x: FloatArray) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which frames are quiet and which speak, by their mean log power: (frames, bands) -> two masks (frames,).

    With a and b the 5th and 95th percentile of it, quiet frames lie under a + 0.25 (b - a), speech over
    a + 0.6 (b - a); neither is ever empty. A gain changes nothing.
    """
    level = x.mean(axis=1)
    low, high = np.percentile(level, (LOW, HIGH))
    return level <= low + QUIET * (high - low), level >= low + SPEECH * (high - low)


@cache
def _bank(frame: int, bands: int) -> FloatArray:
    """Weights that average bins into bands, (frame // 2 + 1, bands); OptionError for more bands than bins."""
    bins = frame // 2 + 1
    if not 0 < bands <= bins - LEAKED:
        raise OptionError(f"a frame of {frame} samples bears 1 to {bins - LEAKED} bands, not {bands}: ask for fewer")
    edges = np.rint(np.linspace(LEAKED, bins, bands + 1))
    at = np.arange(bins)[:, None]
    inside = (edges[:-1] <= at) & (at < edges[1:])
    return np.asarray(inside / np.diff(edges), np.float32)


@cache
def _hann(frame: int) -> FloatArray:
    """The periodic Hann window with unit energy, (frame,)."""
    window = np.hanning(frame + 1)[:-1]
    return np.asarray(window / np.sqrt(np.square(window).sum()), np.float32)
