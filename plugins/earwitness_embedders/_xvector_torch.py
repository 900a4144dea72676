"""The torch module behind `xvector`; imported when a network is asked for, not before."""

from typing import cast

from speechbrain.lobes.models.Xvector import Xvector
from torch import Tensor, nn

from earwitness_embedders._resnet_torch import statistics


class Network(nn.Module):
    """SpeechBrain's x-vector behind a batch normalisation of the features."""

    def __init__(self, dims: int, channels: int, pooled: int, dim: int) -> None:
        super().__init__()
        self.normalise = nn.BatchNorm1d(dims)
        body = Xvector(in_channels=dims, tdnn_channels=[channels] * 4 + [pooled], lin_neurons=dim)
        *frames, _, project = body.blocks  # theirs pools with chance added, in answering too
        self.frames, self.project = nn.Sequential(*frames), project

    def forward(self, features: Tensor) -> Tensor:
        """(B, frames, dims) -> (B, dim)."""
        normal = self.normalise(features.transpose(1, 2)).transpose(1, 2)
        sequence = self.frames(normal)  # (B, frames, pooled)
        return cast(Tensor, self.project(statistics(sequence.transpose(1, 2))))
