"""`multifeature_fusion`: frames, supervector and i-vector, each through a bottleneck, fused by attention."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class MultifeatureFusion:
    """Bottlenecks of MFCC by convolutions and of the supervector by full layers, and attention to them and an i-vector.

    A baseline of Zeng, Zhao and Wang, Mobile recording device recognition based on cross-scale and multi-level
    representation learning, arXiv, 2024, from their earlier end-to-end system (2020); for `gsv_mfcc` with factors.
    With e_1, e_2, e_3 what the three give, each of `bottleneck` numbers, the fused row is

        sum_k w_k e_k,   w = softmax_k(v' tanh(W e_k + b)).

    They print the three features, a CNN, a DNN, attention, and 2.361 M parameters with 45 classes: layers and widths
    are ours, chosen to meet that figure (ours: 2.364 M).

    Published training: none of its own; our recipe is theirs for their network.

    Args:
        components: Of the mixture.
        factors: Length of the i-vector.
        widths: Channels of the convolutions over frames, of 3x3, each followed by a halving.
        hidden: Units of the full layers over the supervector.
        bottleneck: Length of what is fused.
        dim: Length of the embedding.
    """

    name: ClassVar[str] = "multifeature_fusion"
    components: int = 64
    factors: int = 100
    widths: tuple[int, ...] = (32, 64, 128)
    hidden: tuple[int, ...] = (704,)
    bottleneck: int = 256
    dim: int = 128

    def network(self, dims: int) -> "torch.nn.Module":
        """A fresh network (B, rows, dims) -> (B, dim)."""
        from earwitness_embedders._fusion_torch import Network

        return Network(dims, self)
