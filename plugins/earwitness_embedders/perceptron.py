"""`perceptron`: a few full layers over the mean of a window's frames."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Perceptron:
    """Layers h = dropout(relu(norm(W x))) over x, the mean over frames, then a norm and a linear one.

    Norms are of the batch (Ioffe and Szegedy, Batch normalization, ICML 2015), the first over the features themselves,
    so that decibels, shares and correlations may stand side by side. Dropout, Srivastava et al., JMLR 15, 2014. For
    frontends that give a window one row of statistics, whose neighbours say nothing to a convolution.

    Args:
        width: Units of a hidden layer.
        depth: Hidden layers.
        dropout: Share of units left out of a step of training.
        dim: Length of the embedding.
    """

    name: ClassVar[str] = "perceptron"
    width: int = 512
    depth: int = 2
    dropout: float = 0.2
    dim: int = 128

    def network(self, dims: int) -> "torch.nn.Module":
        """A fresh network (B, frames, dims) -> (B, dim)."""
        from earwitness_embedders._perceptron_torch import FullLayers

        return FullLayers(dims, self.width, self.depth, self.dropout, self.dim)
