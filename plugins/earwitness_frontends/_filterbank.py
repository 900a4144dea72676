"""Triangular filters over the bins of a transform."""

from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from earwitness.errors import OptionError
from earwitness.types import FloatArray


@cache
def triangles(
    scale: Literal["linear", "mel"], filters: int, rate: int, n_fft: int, low: float, high: float | None
) -> FloatArray:
    """Triangles of height 1 from `low` to `high` Hz, each rising from its left neighbour's centre to its own.

    Centres lie evenly in Hz, or in mel = 2595 log10(1 + f / 700) (O'Shaughnessy, Speech Communication, 1987).

    Args:
        scale: How centres are spaced.
        filters: How many.
        rate: Sample rate in Hz.
        n_fft: Length of the transform.
        low: Lower edge of the first filter in Hz.
        high: Upper edge of the last one in Hz; None means half the rate.

    Returns:
        (n_fft // 2 + 1, filters).

    Raises:
        OptionError: The edges don't lie in order between 0 and half the rate.
    """
    top = rate / 2 if high is None else high
    if not 0 <= low < top <= rate / 2:
        raise OptionError(
            f"bands from {low:g} to {top:g} Hz don't fit sound at {rate} Hz: keep them within 0 to {rate / 2:g} Hz"
        )
    edges = np.linspace(low, top, filters + 2) if scale == "linear" else _mel_spaced(low, top, filters + 2)
    bins = np.fft.rfftfreq(n_fft, 1.0 / rate)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.maximum(0.0, np.minimum(rising, falling)).astype(np.float32)


def _mel_spaced(low: float, high: float, count: int) -> NDArray[np.float64]:
    """Frequencies in Hz, evenly spaced in mel, (count,)."""
    mels = np.linspace(2595.0 * np.log10(1.0 + low / 700.0), 2595.0 * np.log10(1.0 + high / 700.0), count)
    hertz: NDArray[np.float64] = 700.0 * (10.0 ** (mels / 2595.0) - 1.0)
    return hertz
