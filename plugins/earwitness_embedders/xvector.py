"""`xvector`: the time-delay network of SpeechBrain."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Xvector:
    """Five time-delay layers, statistics pooling and a linear segment layer: SpeechBrain's own, input normalised.

    Snyder et al., X-vectors: robust DNN embeddings for speaker recognition, ICASSP 2018: convolutions over frames of
    5, 3, 3, 1, 1 with dilation 1, 2, 3, 1, 1, then the mean and deviation over frames of the last. Yan et al., System
    fingerprint recognition for deepfake audio, 2023, take segment6, of 512, for the embedding.

    Published training: Adam 1e-3 with linear decay, batches of 128, 100 epochs.

    Args:
        channels: Channels of the first four layers.
        pooled: Channels of the fifth, whose statistics are taken.
        dim: Length of the embedding.
    """

    name: ClassVar[str] = "xvector"
    channels: int = 512
    pooled: int = 1500
    dim: int = 512

    def network(self, dims: int) -> "torch.nn.Module":
        """A fresh network (B, frames, dims) -> (B, dim)."""
        from earwitness_embedders._xvector_torch import Network

        return Network(dims, self.channels, self.pooled, self.dim)
