"""The cyclic spectra of a sound, made once for the experts and tracers that read it one after the other."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from earwitness.types import FloatArray
from earwitness_cyclic._orders import CyclicSpectra, first_order, second_order
from earwitness_cyclic._whitening import whiten


@dataclass(frozen=True, slots=True)
class Spectra:
    """A whitened sound (n,) and its spectra of the first and second order."""

    white: FloatArray
    first: CyclicSpectra
    second: CyclicSpectra


def spectra(samples: FloatArray, rate: int) -> Spectra:
    """The spectra of a sound (n,); those of the sound asked for last are kept."""
    return _made(np.ascontiguousarray(samples, np.float32).tobytes(), rate)


@lru_cache(maxsize=1)
def _made(sound: bytes, rate: int) -> Spectra:
    white = whiten(np.frombuffer(sound, np.float32), rate)
    made = Spectra(white, first_order(white, rate), second_order(white, rate))
    for array in (white, made.first.power, made.second.power):
        array.flags.writeable = False
    return made
