"""`noise_cnn`: convolutions along the spectrum of each segment."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class NoiseCnn:
    """Convolutions and pooling over `noise_spectrum`, then a full layer; the mean over segments is the embedding.

    Qi, Huang, Li and Shi, Audio recording device identification based on deep learning, 2016, give it spectra from
    which no speech was taken (`denoise: none`): such filters find by themselves what matters. They print no layers;
    ours are two convolutions of 5 with `kernels` filters, each pooled by 4, and a full layer, in the manner of
    LeCun et al., Gradient-based learning applied to document recognition, Proc. IEEE 86(11), 1998.

    Published training: none; our recipe is Adam as usual.

    Args:
        kernels: Filters of the two convolutions.
        dim: Length of the embedding.
    """

    name: ClassVar[str] = "noise_cnn"
    kernels: tuple[int, int] = (16, 32)
    dim: int = 256

    def network(self, dims: int) -> "torch.nn.Module":
        """A fresh network (B, segments, dims) -> (B, dim)."""
        from earwitness_embedders._noise_torch import Convolutions

        return Convolutions(dims, self.kernels, self.dim)
