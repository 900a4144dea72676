"""A constant-Q transform: one long transform, a product for each bin, one short transform back."""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from earwitness.types import FloatArray
from earwitness_frontends._spectrum import fft_length

SIDE_LOBES = 12
"""Of an atom's spectrum kept to either side; what is left out holds less than a millionth of its energy."""

BLOCK_FRAMES = 512
"""Transformed at once, beside what atoms reach to either side; so that long windows need no more memory."""

KEPT = 4
"""Lengths of blocks whose kernels are kept."""

Kernel = tuple[int, FloatArray]
"""The first bin of the long transform that it weighs, and its weights (folds, points of the short transform)."""


def centres(rate: int, octaves: int, bins: int) -> NDArray[np.float64]:
    """Frequencies in Hz, `bins` an octave up to just under half the rate, (octaves * bins,)."""
    return np.asarray(rate / 2 * 2.0 ** (np.arange(-octaves * bins, 0) / bins))


def constant_q(
    window: FloatArray, rate: int, hop: int, octaves: int, bins: int, offset: float
) -> NDArray[np.complex64]:
    """y_k(t) = sum_n w_k(n) x(t + n) exp(-2 pi i f_k n / rate) / sum_n w_k(n) at t = 0, hop, 2 hop ...

    w_k is a Hann window of length N_k = Q rate / (f_k + `offset`) about 0, Q = (2^(2/B) + 1) / (2^(2/B) - 1) for B
    `bins` an octave; with an offset of 0, N_k holds the same number of periods for all k. Beyond its ends the window
    is 0; a tone of amplitude 1 at f_k gives 1/2.

    In frequency y_k is X times the spectrum of w_k about f_k, which is short, real and known in closed form (12 side
    lobes of it, to either side); decimating y_k to a value a hop folds that product, so that a transform as long as
    there are frames leads back. Cf. Holighaus et al., A framework for invertible, real-time constant-Q transforms,
    IEEE TASLP 21(4), 2013. Another way there, octave by octave: Schoerkhuber and Klapuri, SMC 2010.

    Args:
        window: (n,).
        rate: Sample rate in Hz.
        hop: Samples from one frame to the next.
        octaves: Down from half the rate.
        bins: Bins an octave.
        offset: Hz by which the bandwidth grows beyond that of a constant Q, in bandwidths' own measure.

    Returns:
        (octaves * bins, 1 + n // hop), lowest first.
    """
    frames = 1 + len(window) // hop
    span = min(frames, BLOCK_FRAMES)
    margin = math.ceil(atom_length(centres(rate, octaves, bins)[0], rate, bins, offset) / 2 / hop)
    points = fft_length(margin + span + margin)
    kernels = _kernels(rate, hop, points, octaves, bins, offset)
    padded = np.pad(window, (margin * hop, points * hop))
    blocks = (padded[start * hop : (start + points) * hop] for start in range(0, frames, span))
    found = [_block(block, kernels, points)[:, margin : margin + span] for block in blocks]
    return np.concatenate(found, axis=1)[:, :frames]


def _block(samples: FloatArray, kernels: tuple[Kernel, ...], points: int) -> NDArray[np.complex64]:
    """The transform of samples (n,) that follow on from their own end, at `points` times: (atoms, points)."""
    lead = max(0, -min(first for first, _ in kernels))
    tail = max(0, max(first + weights.size for first, weights in kernels) - len(samples))
    spectrum = np.pad(np.fft.fft(samples), (lead, tail), mode="wrap")
    folded = np.empty((len(kernels), points), np.complex64)
    for (first, weights), row in zip(kernels, folded, strict=True):
        part = spectrum[lead + first : lead + first + weights.size]
        np.add.reduce(part.reshape(weights.shape) * weights, axis=0, out=row)
    return np.asarray(np.fft.ifft(folded))


def atom_length(centre: float, rate: int, bins: int, offset: float) -> float:
    """N_k in samples, for a centre in Hz."""
    step: float = 4.0 ** (1.0 / bins)
    return (step + 1) / (step - 1) * rate / (centre + offset)


@lru_cache(KEPT)
def _kernels(rate: int, hop: int, points: int, octaves: int, bins: int, offset: float) -> tuple[Kernel, ...]:
    """The spectra of all atoms on the bins of a transform of hop * points, lowest first."""
    lengths = ((centre, atom_length(centre, rate, bins, offset)) for centre in centres(rate, octaves, bins))
    return tuple(_kernel(centre / rate, length, hop, points) for centre, length in lengths)


def _kernel(centre: float, length: float, hop: int, points: int) -> Kernel:
    """The spectrum of a Hann window, sin(pi x) / (pi x (1 - x^2)) at x periods a window, about a centre a sample."""
    total, reach = hop * points, (SIDE_LOBES + 2) / length
    first = math.floor((centre - reach) * hop) * points
    last = math.ceil((centre + reach) * hop) * points
    x = (np.arange(first, last) / total - centre) * length
    squares = 1 - np.square(x)
    near_one = np.abs(squares) < 1e-9
    hann = np.where(near_one, 0.5, np.sinc(x) / np.where(near_one, 1.0, squares))
    weights = np.where(np.abs(x) <= SIDE_LOBES + 2, hann / hop, 0.0)
    return first, weights.reshape(-1, points).astype(np.float32)
