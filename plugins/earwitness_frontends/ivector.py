"""`ivector`: where a window's cepstra lie along the few directions in which recordings vary."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from earwitness.mixture import Mixture, fit_mixture, thinned
from earwitness.types import FloatArray, State
from earwitness_frontends._variability import Totals, fit_variability, precision
from earwitness_frontends.mfcc39 import Mfcc39

MOST_WINDOWS = 10_000
"""Windows that directions are learned from; of more, every second, third ..."""


@dataclass(frozen=True, slots=True)
class Ivector:
    """The total-variability factor of a window: the posterior mean of w where its means are m + T w, w standard normal.

    m are the means of a mixture of Gaussians over `mfcc39`, as `gsv` has it, T the directions found by EM on training
    windows (`_variability`, with the formulas and their sources). Dehak et al., Front-end factor analysis for speaker
    verification, IEEE TASLP 19(4), 2011; for recording devices a baseline of Zeng, Zhao and Wang, Mobile recording
    device recognition based cross-scale and multi-level representation learning, 2023, which leaves open how many
    directions there are.

    Args:
        components: Of the mixture.
        factors: Directions, and values a window.
        steps: Of EM, for the mixture.
        turns: Of EM, for the directions.
    """

    name: ClassVar[str] = "ivector"
    components: int = 64
    factors: int = 100
    steps: int = 20
    turns: int = 10

    def __call__(self, samples: FloatArray, rate: int) -> FloatArray:
        """The frames that it learns from and looks at: (B, n) -> (B, frames, 39)."""
        return Mfcc39()(samples, rate)

    def fit(self, clips: Iterable[FloatArray]) -> State:
        """Frames of clips' windows (B, frames, dims) -> the mixture, and T as `loading` and `products`.

        `loading` (C dims, R) holds T_c over the variances, `products` (C, R, R) T_c' T_c, T_c over the deviations.
        """
        mixture = fit_mixture(thinned(clips), self.components, self.steps)
        found = fit_variability(_totals(mixture, clips), self.factors, self.turns)
        loading = (found.directions / np.sqrt(mixture.variances)[..., None]).reshape(-1, self.factors)
        learned = {"loading": loading, "products": found.products}
        return {**mixture.state, **{name: array.astype(np.float32) for name, array in learned.items()}}

    def features(self, state: State, frames: FloatArray) -> FloatArray:
        """(B, frames, dims) -> (B, 1, factors)."""
        mixture = Mixture.of(state)
        loading, products = (state[name].astype(np.float64) for name in ("loading", "products"))
        found = [_counted(mixture, window) for window in frames]
        factors = [np.linalg.solve(precision(n[None], products)[0], f.ravel() @ loading) for n, f in found]
        return np.asarray(factors, np.float32)[:, None]


def _totals(mixture: Mixture, clips: Iterable[FloatArray]) -> Totals:
    """What directions are learned from."""
    stride = max(1, sum(len(clip) for clip in clips) // MOST_WINDOWS)
    windows = (window for clip in clips for window in clip)
    found = [_counted(mixture, window) for at, window in enumerate(windows) if at % stride == 0]
    scale = np.sqrt(mixture.variances)
    return Totals(np.stack([counts for counts, _ in found]), np.stack([sums / scale for _, sums in found]))


def _counted(mixture: Mixture, window: FloatArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Counts (C,) and sums about the means (C, dims) of a window's frames (frames, dims)."""
    found = mixture.statistics(window)
    return found.counts, found.sums - found.counts[:, None] * mixture.means
