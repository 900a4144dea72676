"""`cyclic_lines`: the lines that a decoder's upsampling leaves, as one vector a clip."""

from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np

from earwitness.types import FloatArray
from earwitness_cyclic._lattices import CLOCKED, HALVED, UPSAMPLING, Lattice
from earwitness_cyclic._orders import BAND, CyclicSpectra
from earwitness_cyclic._spectra import spectra

SPLIT = 8000.0
"""Hz: lines up to it, which most clips have, are pooled apart from those above."""

HIGHEST = 24000.0
"""Hz: half the highest native rate."""

LEAST_SECONDS = 0.25
"""A shorter clip is filled with silence to this."""

GOMPERTZ = np.float32(0.596347362323194)
"""E ln(1 + P) of an exponential P of mean 1: what a line is worth by chance."""


@dataclass(frozen=True, slots=True)
class CyclicLines:
    """How far the lines of every known lattice stand out, in two orders, one by one and pooled by stage.

    With P the levelled power of a line (`_orders.py`), exponential of mean 1 by chance whatever the sound, the rate
    and the length, a line's value is

        v = ln(1 + P) - 0.596...,

    of mean 0 by chance, and 0 where the clip has no such frequency: clips of all rates share one space. In longer
    clips lines stand higher, v by ln 2 for each doubling at most; dividing by the length would undo that on paper,
    but lines of speech joined from several utterances do not grow, and it told Kokoro's clips worse. For each lattice,

        first order   mean v over the multiples of each stage d of the hop, up to 8 kHz and above;
        second order  the same of the mean over the bands up to 8 kHz and above; mean over all k of each of the four
                      bands up to 8 kHz;
        one by one    v of each line up to 8 kHz, and up to 2 kHz of the mean over the four bands, for the lattices
                      that systems are known for.

    After the deconvolution artifacts of arXiv 2506.19108 and the spectral correlation of arXiv 2603.03921.
    """

    name: ClassVar[str] = "cyclic_lines"

    def __call__(self, samples: FloatArray, rate: int) -> FloatArray:
        """(B, n) -> (B, 1, dims), dims the same for all rates and lengths."""
        least = round(LEAST_SECONDS * rate)
        padded = np.pad(samples, ((0, 0), (0, max(0, least - samples.shape[1]))))
        return np.stack([_row(window, rate) for window in padded])[:, np.newaxis]


def _row(samples: FloatArray, rate: int) -> FloatArray:
    """(n,) -> (dims,)."""
    sound = spectra(samples, rate)
    return np.concatenate(
        [part for lattice in (*UPSAMPLING, *CLOCKED, HALVED) for part in _lines(lattice, sound.first, sound.second)]
    )


def _lines(lattice: Lattice, first: CyclicSpectra, second: CyclicSpectra) -> list[FloatArray]:
    """One lattice's share of the vector."""
    tones, heard = _values(first, lattice, HIGHEST)
    bands, heard_bands = _values(second, lattice, BAND)
    low = int(SPLIT / BAND)
    by_band = np.zeros((low, bands.shape[1]), np.float32)
    by_band[: len(bands)] = bands[:low]
    below = by_band.sum(axis=0) / min(low, len(bands))
    above = bands[low:].sum(axis=0) / max(1, len(bands) - low)
    pools = _pools(lattice, BAND)
    parts = [
        _mean(_pools(lattice, HIGHEST), tones[0], heard),
        _mean(pools, below, heard_bands),
        _mean(pools, above, heard_bands),
        by_band.mean(axis=1),
    ]
    return [*parts, tones[0, : int(SPLIT / lattice.spacing)], below] if lattice.seen else parts


def _values(spectra: CyclicSpectra, lattice: Lattice, limit: float) -> tuple[FloatArray, FloatArray]:
    """Lines k = 1 ... K up to `limit` Hz, (bands, K), and which of them the clip has, (K,) of 0 and 1."""
    frequencies = lattice.frequencies(limit)
    heard = frequencies <= spectra.limit
    values = np.zeros((len(spectra.power), len(frequencies)), np.float32)
    values[:, heard] = np.log1p(spectra.at(frequencies[heard])) - GOMPERTZ
    return values, heard.astype(np.float32)


@cache
def _pools(lattice: Lattice, limit: float) -> FloatArray:
    """(pools, K) of 0 and 1: for each stage d the lines k that it divides, up to the split and above; none empty."""
    frequencies = lattice.frequencies(limit)
    k = np.arange(1, len(frequencies) + 1)
    low = frequencies <= SPLIT
    rows = [(k % d == 0) & half for d in lattice.stages for half in (low, ~low)]
    return np.array([row for row in rows if row.any()], np.float32)


def _mean(pools: FloatArray, values: FloatArray, heard: FloatArray) -> FloatArray:
    """(K,) -> (pools,): the mean of those heard, 0 where none is."""
    means: FloatArray = pools @ values / np.maximum(pools @ heard, 1)
    return means
