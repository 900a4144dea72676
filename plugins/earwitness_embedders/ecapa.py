"""`ecapa`: the ECAPA-TDNN of SpeechBrain."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Ecapa:
    """Emphasised channel attention, propagation and aggregation in a TDNN: SpeechBrain's own, input normalised.

    Desplanques, Thienpondt and Demuynck, ECAPA-TDNN, Interspeech 2020: dilated Res2 blocks with
    squeeze-and-excitation over time, all their outputs aggregated, attentive statistics pooling.

    Args:
        channels: Channels of the convolutions, a multiple of 8; the aggregation layer has three times as many.
        dim: Length of the embedding.
    """

    name: ClassVar[str] = "ecapa"
    channels: int = 512
    dim: int = 192

    def network(self, dims: int) -> "torch.nn.Module":
        """A fresh network (B, frames, dims) -> (B, dim)."""
        from earwitness_embedders._ecapa_torch import EcapaTdnn

        return EcapaTdnn(dims, self.channels, self.dim)
