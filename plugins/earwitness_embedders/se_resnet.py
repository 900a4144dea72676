"""`se_resnet`: a residual network that weighs its channels by what the whole map holds."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class SeResNet:
    """The blocks of `resnet18`, each with squeeze and excitation: y = relu(s(f(x)) f(x) + x).

    Hu, Shen and Sun, Squeeze-and-excitation networks, CVPR 2018: with m the mean of each channel over its map,

        s = sigmoid(W_2 relu(W_1 m)),   W_1 from c channels to c / `reduction`, W_2 back.

    Yan et al., System fingerprint recognition for deepfake audio, 2023, say two convolutions of 3x3 and one such
    block a module, and not how many modules: ours are the eight of `resnet18`, to differ from it in this alone.
    Published training: Adam 1e-3 with linear decay, batches of 128, 100 epochs.

    Args:
        width: Channels of the first stage; each of the three that follow doubles them.
        reduction: Channels a unit of the bottleneck.
        dim: Length of the embedding.
    """

    name: ClassVar[str] = "se_resnet"
    width: int = 16
    reduction: int = 16
    dim: int = 128

    def network(self, dims: int) -> "torch.nn.Module":
        """A fresh network (B, frames, dims) -> (B, dim)."""
        from functools import partial

        from earwitness_embedders._resnet_torch import ResNet
        from earwitness_embedders._se_resnet_torch import SqueezedBlock

        return ResNet(dims, self.width, self.dim, partial(SqueezedBlock, reduction=self.reduction))
