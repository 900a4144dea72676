"""The average long-term spectrum of speech, over twelve languages."""

from functools import cache

import numpy as np

from earwitness.types import FloatArray

HERTZ = (
    *(63, 80, 100, 125, 160, 200, 250, 315, 400, 500, 630, 800),
    *(1000, 1250, 1600, 2000, 2500, 3150, 4000, 5000, 6300, 8000, 10_000, 12_500, 16_000),
)
"""Centres of third octaves."""

DECIBELS = (
    *(38.6, 43.5, 54.4, 57.7, 56.8, 60.2, 60.3, 59.0, 62.1, 62.1, 60.5, 56.8),
    *(53.7, 53.0, 52.0, 48.7, 48.1, 46.8, 45.6, 44.5, 44.3, 43.7, 43.4, 41.3, 40.7),
)
"""Level in each, men and women together, at 70 dB in all.

Byrne et al., An international comparison of long-term average speech spectra, JASA 96(4), 1994.
"""


@cache
def speech_reference(bands: int, rate: int) -> FloatArray:
    """Log power density of speech at the middles of equal bands up to half the rate: (bands,).

    Levels in third octaves less the log of their width, joined by straight lines over log frequency and held beyond
    the ends.
    """
    middles = (np.arange(bands) + 0.5) * rate / 2 / bands
    density = np.array(DECIBELS) * np.log(10) / 10 - np.log(HERTZ)
    return np.asarray(np.interp(np.log(middles), np.log(HERTZ), density), np.float32)
