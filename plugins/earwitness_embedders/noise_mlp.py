"""`noise_mlp`: full layers over the noise spectrum of each segment."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class NoiseMlp:
    """A perceptron over `noise_spectrum`, one segment at a time; the mean over a window's segments is the embedding.

    Qi, Huang, Li and Shi, Audio recording device identification based on deep learning, 2016: up to three hidden
    layers, h_i = relu(W_i h_(i-1) + b_i), under softmax. With none, it is their softmax regression. With model
    averaging, every hidden layer reads the spectrum by itself, and all are put side by side; that is how we read
    'separately through separate hidden layers, and then concatenating', since in their table one layer is alike
    with and without. Their votes over 3 to 5 segments are the mean here, and the windows of a clip vote above that.
    Segments are normalised first, as for all networks here.

    Published training: none but weight decay for the softmax; our recipe is Adam as usual. They don't say how wide.

    Args:
        layers: Hidden layers.
        width: Units of each.
        averaging: Whether hidden layers stand side by side, not one behind the other.
    """

    name: ClassVar[str] = "noise_mlp"
    layers: int = 3
    width: int = 512
    averaging: bool = False

    def network(self, dims: int) -> "torch.nn.Module":
        """A fresh network (B, segments, dims) -> (B, d), d = `width`, times `layers` with averaging, or dims."""
        from earwitness_embedders._noise_torch import Perceptron

        return Perceptron(dims, self.layers, self.width, self.averaging)
