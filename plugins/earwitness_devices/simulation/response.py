"""`response`: the frequency response of a real microphone or loudspeaker, as somebody measured it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np

from earwitness.audio import read_clip
from earwitness.errors import OptionError
from earwitness.types import FloatArray
from earwitness_devices.simulation._curves import GRID, Curve, levelled_response, on_frequencies
from earwitness_devices.simulation._transform import MARGIN, fast_length

CURVES = (".csv", ".txt")
QUIETEST = 1e-12


@dataclass(frozen=True, slots=True)
class Response:
    """Filter with a measured response, without its phase, so that the sound stays in time, at 0 dB over 300 to 3400 Hz.

    Args:
        file: The response (`read_response`); none leaves the sound as it is.

    Raises:
        OptionError: The file holds no response.
        AudioError: It can't be read.
    """

    name: ClassVar[str] = "response"
    file: str = ""

    def __call__(self, samples: FloatArray, rate: int, rng: np.random.Generator) -> FloatArray:  # noqa: ARG002
        """(n,) -> (n,)."""
        if not (self.file and samples.size):
            return samples
        length = fast_length(len(samples) + MARGIN)
        decibels = on_frequencies(read_response(self.file), np.fft.rfftfreq(length, 1.0 / rate))
        spectrum = np.fft.rfft(samples, length) * (10.0 ** (decibels / 20.0)).astype(np.float32)
        return np.fft.irfft(spectrum, length)[: len(samples)].astype(np.float32, copy=False)


@lru_cache(maxsize=1024)
def read_response(file: str) -> Curve:
    """A measured response in dB over GRID, 0 dB on average over 300 to 3400 Hz.

    Files in .csv or .txt are curves: a line for each frequency, Hz and dB first, with semicolons, commas or blanks
    between; with semicolons a comma may stand for the decimal point. Lines that begin with no number are skipped.
    All other files are impulse responses in any audio format.

    Raises:
        OptionError: The file holds no response.
        AudioError: It can't be read.
    """
    path = Path(file)
    curve = _from_text(path) if path.suffix.lower() in CURVES else _from_impulse(path)
    return levelled_response(curve)


def _from_text(path: Path) -> Curve:
    """Linear over log frequency between the points, and level beyond them."""
    try:
        points = sorted(_points(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise OptionError(f"{path} can't be read as lines of Hz and dB ({error}): give another response") from error
    if len(points) < 2:
        raise OptionError(f"{path} has no two lines of Hz and dB: give another response")
    frequencies, decibels = np.array(points).T
    curve: Curve = np.interp(np.log(GRID), np.log(frequencies), decibels)
    return curve


def _points(text: str) -> Iterator[tuple[float, float]]:
    """Hz and dB line by line."""
    for line in text.splitlines():
        if re.match(r"\s*[.\d]", line):
            fields = line.replace(",", ".").split(";") if ";" in line else re.split(r"[,\s]+", line.strip())
            frequency, decibels = (float(field) for field in fields[:2])
            if frequency > 0:
                yield frequency, decibels


def _from_impulse(path: Path) -> Curve:
    """The mean power in a band about each point of GRID, a sixteenth of an octave wide."""
    clip = read_clip(path)
    power = np.square(np.abs(np.fft.rfft(clip.samples.astype(np.float64), 2 * len(clip.samples))))
    if not power.any():
        raise OptionError(f"{path} is silent: give another response")
    edges = np.linspace(0.0, clip.rate / 2, len(power) + 1)
    sums = np.concatenate([[0.0], np.cumsum(power) * edges[1]])
    half = np.sqrt(GRID[1] / GRID[0])
    high = np.minimum(GRID * half, edges[-1])
    low = np.minimum(GRID / half, high / half**2)
    means = (np.interp(high, edges, sums) - np.interp(low, edges, sums)) / (high - low)
    return np.asarray(10.0 * np.log10(means / power.max() + QUIETEST))
