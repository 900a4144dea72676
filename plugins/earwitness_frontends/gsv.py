"""`gsv`: the Gaussian supervector of a window's cepstra."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from earwitness.errors import OptionError
from earwitness.mixture import Mixture, fit_mixture, thinned
from earwitness.types import FloatArray, State
from earwitness_frontends.mfcc39 import Mfcc39


@dataclass(frozen=True, slots=True)
class Gsv:
    """Means of a mixture of Gaussians, fitted to many recordings and then drawn towards one: 64 x 39 values a window.

    The mixture is a universal background model of `mfcc39` (k-means, then EM). Of a window, n_c frames belong to its
    component c with a mean of e_c, and the component's own mean m_c becomes

        a_c e_c + (1 - a_c) m_c,  a_c = n_c / (n_c + r),

    component after component. Reynolds, Quatieri and Dunn, Speaker verification using adapted Gaussian mixture models,
    Digital Signal Processing 10, 2000; as a supervector: Campbell, Sturim and Reynolds, IEEE SPL 13(5), 2006; of
    recording devices, with 64, 128 and 256 components: Zeng et al., Spatial and temporal learning representation for
    end-to-end recording device identification, EURASIP JASP, 2021.

    Args:
        components: Of the mixture.
        relevance: r, frames after which a component believes the window as much as the model.
        steps: Of EM.
    """

    name: ClassVar[str] = "gsv"
    components: int = 64
    relevance: float = 16.0
    steps: int = 20

    def __call__(self, samples: FloatArray, rate: int) -> FloatArray:
        """The frames that it learns from and adapts to: (B, n) -> (B, frames, 39).

        Raises:
            OptionError: A relevance that isn't above 0.
        """
        if self.relevance <= 0:
            raise OptionError(f"a relevance of {self.relevance:g} leaves nothing of the model: give one above 0")
        return Mfcc39()(samples, rate)

    def fit(self, clips: Iterable[FloatArray]) -> State:
        """Frames of clips' windows (B, frames, dims) -> `weights` (C,), `means` and `variances` (C, dims)."""
        return fit_mixture(thinned(clips), self.components, self.steps).state

    def features(self, state: State, frames: FloatArray) -> FloatArray:
        """(B, frames, dims) -> (B, 1, components * dims)."""
        mixture = Mixture.of(state)
        return np.stack([self._adapted(mixture, window) for window in frames])[:, None]

    def _adapted(self, mixture: Mixture, window: FloatArray) -> FloatArray:
        """(frames, dims) -> (components * dims,)."""
        found = mixture.statistics(window)
        means = mixture.adapted_means(found.counts, found.sums, self.relevance)
        return means.astype(np.float32).ravel()
