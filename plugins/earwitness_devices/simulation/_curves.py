"""Curves in dB over log frequency, of which responses and noise spectra are made."""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Curve = NDArray[np.float64]
"""dB at each frequency of GRID, (160,)."""

Frequencies = NDArray[np.floating[Any]]
"""In Hz, (m,)."""

GRID = np.geomspace(20.0, 24_000.0, 160)  # Hz
OCTAVES = np.log2(GRID / 1000.0)


def smooth(rng: np.random.Generator, deviation: float, scale: float = 0.7) -> Curve:
    """A Gaussian process over log frequency, with `deviation` dB at every frequency and `scale` octaves wide."""
    curve: Curve = deviation * (_kernel(scale) @ rng.standard_normal(GRID.size))
    return curve


@cache
def _kernel(scale: float) -> NDArray[np.float64]:
    """Rows of norm 1, (160, 160)."""
    kernel = np.exp(-np.square((OCTAVES[:, None] - OCTAVES) / scale))
    kernel /= np.linalg.norm(kernel, axis=1, keepdims=True)
    return kernel


def bells(rng: np.random.Generator, most: int, deviation: float) -> Curve:
    """One to `most` resonances: bells between 80 Hz and 9 kHz, 0.1 to 0.6 octaves wide."""
    count = rng.integers(1, most, endpoint=True)
    centres = np.log2(np.exp(rng.uniform(np.log(80.0), np.log(9000.0), count)) / 1000.0)
    widths, heights = rng.uniform(0.1, 0.6, count), rng.normal(0.0, deviation, count)
    curve: Curve = np.exp(-0.5 * np.square((OCTAVES[:, None] - centres) / widths)) @ heights
    return curve


def high_pass(corner: float, order: float) -> Curve:
    """A Butterworth filter's magnitude: -10 log10(1 + (corner / f)^(2 order))."""
    curve: Curve = -10.0 * np.log10(1.0 + (corner / GRID) ** (2.0 * order))
    return curve


def low_pass(corner: float, order: float) -> Curve:
    """A Butterworth filter's magnitude: -10 log10(1 + (f / corner)^(2 order))."""
    curve: Curve = -10.0 * np.log10(1.0 + (GRID / corner) ** (2.0 * order))
    return curve


def levelled_response(curve: Curve) -> Curve:
    """The curve moved so that it is 0 dB on average where speech is, from 300 to 3400 Hz."""
    speech = (GRID > 300.0) & (GRID < 3400.0)
    return np.asarray(curve - curve[speech].mean())


def on_frequencies(curve: Curve, frequencies: Frequencies) -> NDArray[np.float64]:
    """The curve in dB at other frequencies in Hz, linear in between and level beyond its ends."""
    return np.interp(frequencies, GRID, curve)
