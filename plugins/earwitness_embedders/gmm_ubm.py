"""`gmm_ubm`: a mixture of Gaussians for all recordings, drawn towards each class, and how much better each fits."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from earwitness.errors import OptionError
from earwitness.mixture import Mixture, fit_mixture, mean_log_likelihoods, thinned
from earwitness.types import FloatArray, IntArray, State


@dataclass(frozen=True, slots=True)
class GmmUbm:
    """The log-likelihood ratio of each class against a universal background model: a figure a class.

    The background model p is fitted to frames of all clips, evenly taken, by k-means and then EM. Of all frames of
    class k, n_c belong to its component c with a mean of e_c; in p_k the component's mean m_c is

        a_c e_c + (1 - a_c) m_c,  a_c = n_c / (n_c + r),

    its weight and variance as they were. Of a window's frames x_1 ... x_T,

        z_k = 1 / T sum_t ln p_k(x_t) - ln p(x_t).

    Windows that overlap let frames count twice. Reynolds, Quatieri and Dunn, Speaker verification using adapted
    Gaussian mixture models, Digital Signal Processing 10, 2000; of recording devices, over 39 MFCC with 64, 128 and 256
    components, a baseline of Zeng et al., Spatial and temporal learning representation for end-to-end recording device
    identification, EURASIP JASP, 2021, who fit the background model to other speech (TIMIT).

    Args:
        components: Of the background model.
        relevance: r, frames after which a component believes the class as much as the model.
        steps: Of EM.
    """

    name: ClassVar[str] = "gmm_ubm"
    components: int = 64
    relevance: float = 16.0
    steps: int = 20

    def fit_frames(self, clips: Iterable[FloatArray], labels: IntArray) -> State:
        """Clips (B, frames, dims), classes (clips,) -> the model, and of the K classes `adapted` (K, C, dims).

        The model is its `weights` (C,), `means` and `variances` (C, dims).

        Raises:
            OptionError: A relevance that isn't above 0.
        """
        if self.relevance <= 0:
            raise OptionError(f"a relevance of {self.relevance:g} leaves nothing of the model: give one above 0")
        world = fit_mixture(thinned(clips), self.components, self.steps)
        classes = int(labels.max()) + 1
        counts, sums = (np.zeros((classes, *array.shape)) for array in (world.weights, world.means))
        for clip, label in zip(clips, labels, strict=True):
            found = world.statistics(clip.reshape(-1, clip.shape[2]))
            counts[label] += found.counts
            sums[label] += found.sums
        learned = {**world.state, "adapted": world.adapted_means(counts, sums, self.relevance)}
        return {name: array.astype(np.float32) for name, array in learned.items()}

    def embed(self, state: State, features: FloatArray) -> FloatArray:
        """(B, frames, dims) -> (B, K)."""
        world = Mixture.of(state)
        adapted = [Mixture(world.weights, means.astype(np.float64), world.variances) for means in state["adapted"]]
        scores = mean_log_likelihoods([world, *adapted], features)
        return np.asarray(scores[:, 1:] - scores[:, :1], np.float32)
