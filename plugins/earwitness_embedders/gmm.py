"""`gmm`: a mixture of Gaussians for each class, and how well each fits a window."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from earwitness.mixture import Mixture, fit_mixture, mean_log_likelihoods, thinned
from earwitness.types import FloatArray, IntArray, State


@dataclass(frozen=True, slots=True)
class Gmm:
    """How much better the mixture of each class explains a window than those of all classes do: a figure a class.

    The mixture p_k of class k is fitted to frames of its clips, evenly taken, by k-means and then EM. Of a window's
    frames x_1 ... x_T and K classes,

        s_k = 1 / T sum_t ln p_k(x_t),   z_k = s_k - 1 / K sum_j s_j,

    so that the largest z_k, and the largest cosine to the axes of the classes, is the decision by maximum likelihood. A
    source enrolled later is told by how it stands to the classes. With two classes the direction of z says which, and
    no more.

    Yan et al., System fingerprint recognition for deepfake audio: an initial dataset and investigation, 2023: LFCC,
    512 components as in the baseline of ASVspoof 2021. The vector of likelihoods as a place: Sturim et al., Speaker
    indexing in large audio databases using anchor models, ICASSP 2001.

    Args:
        components: Of each mixture.
        steps: Of EM.
    """

    name: ClassVar[str] = "gmm"
    components: int = 512
    steps: int = 10

    def fit_frames(self, clips: Iterable[FloatArray], labels: IntArray) -> State:
        """Clips (B, frames, dims), classes (clips,) -> `weights` (K, C), `means` and `variances` (K, C, dims)."""
        classes = range(int(labels.max()) + 1)
        found = [fit_mixture(thinned(_Own(clips, labels, k)), self.components, self.steps) for k in classes]
        states = [mixture.state for mixture in found]
        return {name: np.stack([state[name] for state in states]).astype(np.float32) for name in states[0]}

    def embed(self, state: State, features: FloatArray) -> FloatArray:
        """(B, frames, dims) -> (B, K)."""
        mixtures = [Mixture.of({name: array[k] for name, array in state.items()}) for k in range(len(state["weights"]))]
        scores = mean_log_likelihoods(mixtures, features)
        return np.asarray(scores - scores.mean(axis=1, keepdims=True), np.float32)


@dataclass(frozen=True, slots=True)
class _Own:
    """The clips of one class, whenever gone through."""

    clips: Iterable[FloatArray]
    labels: IntArray
    label: int

    def __iter__(self) -> Iterator[FloatArray]:
        return (clip for clip, label in zip(self.clips, self.labels, strict=True) if label == self.label)
