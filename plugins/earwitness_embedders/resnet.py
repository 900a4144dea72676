"""`resnet18`: a residual network over features as an image."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class ResNet18:
    """Eight residual blocks of two 3x3 convolutions, y = relu(f(x) + x), then statistics pooling.

    He et al., Deep residual learning for image recognition, CVPR 2016, in the 18-layer form that Yan et al.,
    System Fingerprint Recognition for Deepfake Audio, 2023, found best with LFCC. The 3x3 stem halves time
    alone, so that the narrow feature axis survives the three halvings that follow, at half the cost. Windows
    of any length may come: what is pooled is the mean, as there, and the deviation of each channel over the
    whole map.

    Args:
        width: Channels of the first stage; each of the three that follow doubles them.
        dim: Length of the embedding.
    """

    name: ClassVar[str] = "resnet18"
    width: int = 16
    dim: int = 128

    def network(self, dims: int) -> "torch.nn.Module":
        """A fresh network (B, frames, dims) -> (B, dim)."""
        from earwitness_embedders._resnet_torch import ResNet

        return ResNet(dims, self.width, self.dim)
