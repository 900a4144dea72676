"""The torch modules behind `ecapa`; imported when a network is asked for, not before."""

import torch
from speechbrain.lobes.models.ECAPA_TDNN import ECAPA_TDNN
from torch import Tensor, nn


class EcapaTdnn(nn.Module):
    """SpeechBrain's ECAPA-TDNN behind a batch normalisation of the features."""

    def __init__(self, dims: int, channels: int, dim: int) -> None:
        super().__init__()
        self.normalise = nn.BatchNorm1d(dims)
        self.body = ECAPA_TDNN(dims, channels=[channels] * 4 + [3 * channels], lin_neurons=dim)
        self.body.asp = Pooling(self.body.asp.tdnn, self.body.asp.conv)

    def forward(self, features: Tensor) -> Tensor:
        """(B, frames, dims) -> (B, dim)."""
        normal = self.normalise(features.transpose(1, 2)).transpose(1, 2)
        embedding: Tensor = self.body(normal).squeeze(1)
        return embedding


class Pooling(nn.Module):
    """SpeechBrain's attentive statistics pooling without its mask over padding.

    Windows have no padding, and the mask would fix the exported network to one size of batch.
    """

    def __init__(self, squeeze: nn.Module, expand: nn.Module) -> None:
        super().__init__()
        self.attention = nn.Sequential(squeeze, nn.Tanh(), expand)

    def forward(self, sequence: Tensor, lengths: None = None) -> Tensor:  # noqa: ARG002
        """(B, c, t) -> mean and deviation under attention, (B, 2 c, 1)."""
        context = _moments(sequence, torch.full_like(sequence[:, :1], 1.0 / sequence.shape[2]))
        context = torch.cat([sequence, context.expand(-1, -1, sequence.shape[2])], dim=1)
        return _moments(sequence, self.attention(context).softmax(dim=2))


def _moments(sequence: Tensor, weights: Tensor) -> Tensor:
    """Weighted mean and deviation over time: (B, c, t) -> (B, 2 c, 1)."""
    mean = (weights * sequence).sum(2, keepdim=True)
    variance = (weights * (sequence - mean).square()).sum(2, keepdim=True)
    return torch.cat([mean, variance.clamp(1e-12).sqrt()], dim=1)
