"""The noise a device makes itself: its spectrum, its level and its tones."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from earwitness_devices.simulation._curves import GRID, OCTAVES, Curve, bells, low_pass, smooth

BAND = (50.0, 8000.0)  # Hz: where levels are measured


@dataclass(frozen=True, slots=True)
class Tone:
    """A steady tone: hum, or what switching leaks; `level` in dB of full scale."""

    frequency: float
    level: float


@dataclass(frozen=True, slots=True)
class SelfNoise:
    """Gaussian noise of one spectrum, and tones.

    `density` is in dB of full scale a hertz, one-sided (0 dB is a mean square of 1), over GRID.
    """

    density: Curve
    tones: tuple[Tone, ...]


def draw_shape(rng: np.random.Generator, slope: float) -> Curve:
    """Slope in dB an octave, broad bumps, a rise towards the lows and a roll-off, at 0 dB over BAND."""
    rise = rng.uniform(0.0, 15.0) * np.log10(1.0 + (rng.uniform(30.0, 400.0) / GRID) ** 2)
    curve = slope * OCTAVES + rise + bells(rng, 4, 5.0) + smooth(rng, 2.0)
    return levelled(curve + low_pass(rng.uniform(3000.0, 20_000.0), rng.uniform(0.0, 2.0)))


def levelled(curve: Curve) -> Curve:
    """The curve moved so that its power over BAND is 1."""
    inside = (BAND[0] <= GRID) & (BAND[1] >= GRID)
    power = np.trapezoid(10.0 ** (curve[inside] / 10.0), GRID[inside])
    return np.asarray(curve - 10.0 * np.log10(power))


def draw_tones(rng: np.random.Generator, mains: float) -> tuple[Tone, ...]:
    """Hum in half of all models, up to 12 harmonics; in a third, one to four tones of USB frames and switching.

    Levels are in dB relative to the noise over BAND.
    """
    tones: list[Tone] = []
    if rng.random() < 0.5:
        loudest, fall = rng.uniform(-20.0, 3.0), rng.uniform(0.5, 4.0)
        hum = (Tone(mains * k, loudest - fall * k + rng.normal(0.0, 4.0)) for k in range(1, rng.integers(3, 13)))
        tones.extend(hum)
    if rng.random() < 0.35:
        places = np.where(rng.random(4) < 0.4, 1000.0 * rng.integers(1, 8, 4), rng.uniform(300.0, 7900.0, 4))
        tones.extend(Tone(float(place), rng.uniform(-35.0, -12.0)) for place in places[: rng.integers(1, 5)])
    return tuple(tones)


def tone_bins(tones: tuple[Tone, ...], length: int, rate: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The nearest bins of a transform of `length` samples, and the tones' heights there."""
    heard = [tone for tone in tones if tone.frequency < rate / 2]
    bins = np.array([round(tone.frequency * length / rate) for tone in heard], np.int64)
    heights = np.array([length * 10.0 ** (tone.level / 20.0) / np.sqrt(2.0) for tone in heard])
    return bins, heights
