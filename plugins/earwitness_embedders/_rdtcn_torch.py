"""The layers of `rdtcn`."""

from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from earwitness_embedders._fusion_torch import Attention
from earwitness_embedders._supervector_torch import Parted, image_places, image_stages

if TYPE_CHECKING:
    from earwitness_embedders.rdtcn import RdTcn


class Network(nn.Module):
    """(B, components + frames, dims) -> (B, dim)."""

    def __init__(self, dims: int, settings: "RdTcn") -> None:
        super().__init__()
        channels, blocks = settings.channels, settings.blocks
        self.image = settings.components, dims
        self.parted = Parted(dims, settings.components)
        self.enter = nn.Conv1d(dims, channels, 1)
        self.blocks = nn.ModuleList(DenseBlock(channels, settings.layers) for _ in range(blocks))
        self.mix = nn.Conv1d(blocks * channels, channels, 1)
        self.when = Attention(channels)
        self.stages = image_stages(settings.widths)
        self.where = SpatialAttention()
        self.full = nn.Sequential(nn.Linear(image_places(self.image, settings.widths), channels), nn.ReLU())
        self.which = Attention(channels)
        self.project = nn.Linear(channels, settings.dim)

    def forward(self, features: Tensor) -> Tensor:
        """(B, components + frames, dims) -> (B, dim)."""
        supervector, _, frames = self.parted(features)
        maps = self.where(self.stages(supervector.unflatten(1, self.image).unsqueeze(1)))
        branches = torch.stack([self._course(frames), self.full(maps.flatten(1))], dim=1)  # (B, 2, channels)
        return cast(Tensor, self.project(self.which(branches)))

    def _course(self, frames: Tensor) -> Tensor:
        """(B, frames, dims) -> (B, channels)."""
        sequence, found = self.enter(frames.transpose(1, 2)), []
        for block in self.blocks:
            sequence = block(sequence)
            found.append(sequence)
        return cast(Tensor, self.when(self.mix(torch.cat(found, dim=1)).transpose(1, 2)))


class DenseBlock(nn.Module):
    """Dilated convolutions, each over all that came before it in the block, mixed and added to what came in."""

    def __init__(self, channels: int, layers: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(_layer(channels * (at + 1), channels, 2**at) for at in range(layers))
        self.mix = nn.Conv1d(channels * (layers + 1), channels, 1)

    def forward(self, sequence: Tensor) -> Tensor:
        """(B, channels, t) -> (B, channels, t)."""
        found = sequence
        for layer in self.layers:
            found = torch.cat([found, layer(found)], dim=1)
        return cast(Tensor, sequence + self.mix(found))


class SpatialAttention(nn.Module):
    """Each place of all maps times its weight, which the mean and the maximum of the maps around it decide."""

    def __init__(self) -> None:
        super().__init__()
        self.look = nn.Conv2d(2, 1, 7, padding=3)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, c, h, w) -> (B, c, h, w)."""
        around = torch.stack([maps.mean(dim=1), maps.amax(dim=1)], dim=1)
        return maps * torch.sigmoid(self.look(around))


def _layer(inputs: int, outputs: int, dilation: int) -> nn.Sequential:
    """A dilated convolution of 3, normalised and rectified."""
    convolution = nn.Conv1d(inputs, outputs, 3, padding=dilation, dilation=dilation, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm1d(outputs), nn.ReLU())
