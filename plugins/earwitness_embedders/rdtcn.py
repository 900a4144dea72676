"""`rdtcn`: residual dense temporal convolutions beside convolutions over the supervector, with three attentions."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class RdTcn:
    """Two branches over `gsv_mfcc` under temporal, spatial and branch attention.

    A baseline of Zeng, Zhao and Wang, Mobile recording device recognition based on cross-scale and multi-level
    representation learning, arXiv, 2024 ('Multi-Attention'). The temporal branch is of residual dense blocks (Zhang et
    al., Residual dense network for image super-resolution, CVPR 2018) of dilated convolutions (Bai, Kolter and Koltun,
    An empirical evaluation of generic convolutional and recurrent networks for sequence modeling, 2018): layer l of a
    block reads the block's input x_0 and all before it,

        x_l = relu(norm(conv_3, dilation 2^(l - 1) of [x_0, ..., x_(l - 1)])),   y = x_0 + W [x_0, ..., x_n],

    and the blocks' outputs, side by side, are mixed to one. Its frames are summed by weights softmax_t(v' tanh(W x_t));
    the supervector's maps are weighed place by place by a sigmoid of a convolution of 7 over their mean and maximum
    (Woo et al., CBAM, ECCV 2018); the branches are summed by softmax as the frames are.

    They print the parts and 40.56 M parameters with 45 classes: numbers and widths are ours, chosen to meet that
    figure (ours: 40.58 M), and causal padding is left out, as a clip is there whole.

    Published training: none of its own; our recipe is theirs for their network.

    Args:
        components: Of the mixture.
        blocks: Residual dense blocks.
        layers: Layers of a block.
        channels: Channels of blocks and of layers, and length of what is fused.
        widths: Channels of the convolutions over the supervector, of 3x3, each followed by a halving.
        dim: Length of the embedding.
    """

    name: ClassVar[str] = "rdtcn"
    components: int = 64
    blocks: int = 4
    layers: int = 4
    channels: int = 512
    widths: tuple[int, ...] = (32, 64, 128)
    dim: int = 128

    def network(self, dims: int) -> "torch.nn.Module":
        """A fresh network (B, components + frames, dims) -> (B, dim)."""
        from earwitness_embedders._rdtcn_torch import Network

        return Network(dims, self)
