"""Mixtures of Gaussians with diagonal covariances, by expectation maximisation: how the frames of recordings lie."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from earwitness.errors import OptionError
from earwitness.types import FloatArray, State

__all__ = ["Mixture", "Statistics", "fit_mixture", "mean_log_likelihoods", "thinned"]

Array = NDArray[np.float64]

MOST_FRAMES = 200_000
"""Frames that a mixture is fitted to; of more, every second, third ... of each clip is taken."""

CLUSTERINGS = 10
BLOCK = 1 << 13
LEAST_SHARE, LEAST_VARIANCE = 1e-2, 1e-6
"""A component's variance is held at this share of that of all frames, and at this."""

LEAST_LIKELIHOOD = -1e30
"""Under which a logarithm isn't told apart: single precision holds it and its differences."""

EMPTY = 1e-12
"""Frames under which a component stays as it is."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """Sums over frames x with posteriors g: `counts` of g (C,), `sums` of g x and `squares` of g x^2 (C, dims)."""

    counts: Array
    sums: Array
    squares: Array
    log_likelihood: float


@dataclass(frozen=True, slots=True)
class Mixture:
    """`weights` (C,), `means` and `variances` (C, dims)."""

    weights: Array
    means: Array
    variances: Array

    @classmethod
    def of(cls, state: State) -> Self:
        """What was kept as arrays."""
        return cls(*(np.asarray(state[name], np.float64) for name in ("weights", "means", "variances")))

    @property
    def state(self) -> State:
        """To be kept."""
        return asdict(self)

    def log_joint(self, frames: Array) -> Array:
        """Of each frame with each component, ln w_c + ln N(x; m_c, v_c): (N, dims) -> (N, C)."""
        scaled = self.means / self.variances
        constant = np.log(2 * np.pi * self.variances).sum(axis=1) + (self.means * scaled).sum(axis=1)
        distances = np.square(frames) @ (1 / self.variances).T - 2 * frames @ scaled.T
        return np.asarray(np.log(np.maximum(self.weights, np.finfo(float).tiny)) - 0.5 * (distances + constant))

    def log_likelihoods(self, frames: NDArray[np.floating]) -> Array:
        """The logarithm of p(x) of each frame, (N, dims) -> (N,)."""
        return np.concatenate([_log_sum(self.log_joint(block)) for block in _blocks(frames)])

    def statistics(self, frames: NDArray[np.floating]) -> Statistics:
        """What EM and adaptation need of frames (N, dims), summed in float64."""
        counts, sums, squares = np.zeros_like(self.weights), np.zeros_like(self.means), np.zeros_like(self.means)
        log_likelihood = 0.0
        for block in _blocks(frames):
            joint = self.log_joint(block)
            top = joint.max(axis=1, keepdims=True)
            posteriors = np.exp(joint - top)
            total = posteriors.sum(axis=1, keepdims=True)
            posteriors /= total
            counts += posteriors.sum(axis=0)
            sums += posteriors.T @ block
            squares += posteriors.T @ np.square(block)
            log_likelihood += float((top + np.log(total)).sum())
        return Statistics(counts, sums, squares, log_likelihood)

    def improved(self, found: Statistics, least: Array) -> Self:
        """One step of EM: the mixture that fits best given the posteriors, its variances at least `least` (dims,)."""
        counts = np.maximum(found.counts, EMPTY)[:, None]
        means = found.sums / counts
        variances = np.maximum(found.squares / counts - np.square(means), least)
        filled = found.counts[:, None] > EMPTY
        return type(self)(
            found.counts / found.counts.sum(),
            np.where(filled, means, self.means),
            np.where(filled, variances, self.variances),
        )

    def adapted_means(self, counts: Array, sums: Array, relevance: float) -> Array:
        """Means drawn towards frames: a e + (1 - a) m, e their mean and a = n / (n + r), component after component.

        Maximum a posteriori as in Reynolds, Quatieri and Dunn, Speaker verification using adapted Gaussian mixture
        models, Digital Signal Processing 10, 2000: `counts` (..., C), `sums` (..., C, dims) -> (..., C, dims).
        """
        return np.asarray((sums + relevance * self.means) / (counts + relevance)[..., None])


def fit_mixture(frames: FloatArray, components: int, steps: int) -> Mixture:
    """A mixture of frames (N, dims): from k-means, by so many steps of EM (Dempster, Laird and Rubin, 1977).

    Raises:
        OptionError: No component asked for.
    """
    if components < 1:
        raise OptionError(f"a mixture of {components} components holds no frame: ask for 1 or more")
    least = np.maximum(LEAST_SHARE * frames.var(axis=0, dtype=np.float64), LEAST_VARIANCE)
    mixture = _clustered(frames, components, least)
    for _ in range(steps):
        mixture = mixture.improved(mixture.statistics(frames), least)
    return mixture


def thinned(clips: Iterable[FloatArray]) -> FloatArray:
    """Frames of clips' windows (B, frames, dims), evenly, `MOST_FRAMES` or somewhat more: (N, dims)."""
    total = sum(clip.shape[0] * clip.shape[1] for clip in clips)
    stride = max(1, total // MOST_FRAMES)
    return np.concatenate([clip.reshape(-1, clip.shape[2])[::stride] for clip in clips])


def mean_log_likelihoods(mixtures: Sequence[Mixture], features: FloatArray) -> Array:
    """Mean over frames of ln p_k(x), for each window and mixture, finite: (B, frames, dims) -> (B, K)."""
    windows, _, dims = features.shape
    frames = features.reshape(-1, dims)
    found = [mixture.log_likelihoods(frames).reshape(windows, -1).mean(axis=1) for mixture in mixtures]
    return np.asarray(np.maximum(np.stack(found, axis=1), LEAST_LIKELIHOOD))


def _log_sum(joint: Array) -> Array:
    """The logarithm of the sum of exp over components: (N, C) -> (N,)."""
    top = joint.max(axis=1)
    return np.asarray(top + np.log(np.exp(joint - top[:, None]).sum(axis=1)))


def _clustered(frames: FloatArray, components: int, least: Array) -> Mixture:
    """A mixture of the clusters that k-means finds, frames scaled by their deviations."""
    scale = np.sqrt(least / LEAST_SHARE)
    seeds = _seeds(frames, components, scale)
    mixture = Mixture(np.ones(components), seeds, np.tile(np.square(scale), (components, 1)))
    for _ in range(CLUSTERINGS):
        found = _nearest(frames, mixture.means, scale)
        mixture = mixture.improved(found, least)
    return mixture


def _seeds(frames: FloatArray, components: int, scale: Array) -> Array:
    """Frames to begin with, the next with a chance that grows as its squared distance from those before: (C, dims).

    Arthur and Vassilvitskii, k-means++, SODA 2007.
    """
    rng = np.random.default_rng(0)
    scaled = (frames / scale).astype(np.float32)
    drawn = [int(rng.integers(len(frames)))]
    distances = np.full(len(frames), np.inf)
    for _ in range(1, components):
        distances = np.minimum(distances, np.square(scaled - scaled[drawn[-1]]).sum(axis=1, dtype=np.float64))
        total = np.cumsum(distances)
        drawn.append(min(int(np.searchsorted(total, rng.random() * total[-1], side="right")), len(frames) - 1))
    return frames[drawn].astype(np.float64)


def _nearest(frames: FloatArray, means: Array, scale: Array) -> Statistics:
    """Statistics where each frame belongs to the nearest mean alone."""
    counts, sums, squares = np.zeros(len(means)), np.zeros_like(means), np.zeros_like(means)
    centres = means / scale
    for block in _blocks(frames):
        distances = np.square(centres).sum(axis=1) - 2 * (block / scale) @ centres.T
        own = np.eye(len(means))[distances.argmin(axis=1)]
        counts += own.sum(axis=0)
        sums += own.T @ block
        squares += own.T @ np.square(block)
    return Statistics(counts, sums, squares, np.nan)


def _blocks(frames: NDArray[np.floating]) -> Iterator[Array]:
    return (frames[at : at + BLOCK].astype(np.float64) for at in range(0, len(frames), BLOCK))
