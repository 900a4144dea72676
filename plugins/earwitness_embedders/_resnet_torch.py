"""The torch module behind `resnet18` and `se_resnet`; imported when a network is asked for, not before."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

STAGES = 4
BLOCKS = 2


class Block(nn.Module):
    """relu(BN conv relu BN conv x + shortcut x); the shortcut is a 1x1 convolution where the shape changes."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = convolution(inputs, outputs, 3, stride)
        self.second = convolution(outputs, outputs, 3, 1)
        same = inputs == outputs and stride == 1
        self.shortcut = nn.Identity() if same else convolution(inputs, outputs, 1, stride)

    def forward(self, image: Tensor) -> Tensor:
        """(B, inputs, h, w) -> (B, outputs, h / stride, w / stride)."""
        return functional.relu(self.second(functional.relu(self.first(image))) + self.shortcut(image))


MakeBlock = Callable[[int, int, int], nn.Module]
"""Channels before and after, and a stride, to a block."""


class ResNet(nn.Module):
    """Features normalised, as an image of one channel, through the stages, pooled, projected."""

    def __init__(self, dims: int, width: int, dim: int, block: MakeBlock = Block) -> None:
        super().__init__()
        widths = [width * 2**stage for stage in range(STAGES)]
        self.normalise = nn.BatchNorm1d(dims)
        self.stem = convolution(1, width, 3, (1, 2))
        self.stages = nn.Sequential(
            *(_stage(before, after, block) for before, after in zip([width, *widths[:-1]], widths, strict=True))
        )
        self.project = nn.Linear(2 * widths[-1], dim)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # a fifth faster on a CPU

    def forward(self, features: Tensor) -> Tensor:
        """(B, frames, dims) -> (B, dim)."""
        image = self.normalise(features.transpose(1, 2)).unsqueeze(1)  # (B, 1, dims, frames)
        image = self.stages(functional.relu(self.stem(image)))  # (B, 8 width, dims / 8, frames / 16)
        embedding: Tensor = self.project(statistics(image.flatten(2)))
        return embedding


def _stage(before: int, after: int, block: MakeBlock) -> nn.Sequential:
    """Blocks of one width; every stage but the first halves both axes as it widens."""
    first = block(before, after, 1 if before == after else 2)
    return nn.Sequential(first, *(block(after, after, 1) for _ in range(BLOCKS - 1)))


def convolution(inputs: int, outputs: int, size: int, stride: int | tuple[int, int]) -> nn.Sequential:
    """A convolution with batch normalisation, which makes a bias idle."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, bias=False), nn.BatchNorm2d(outputs)
    )


def statistics(sequence: Tensor) -> Tensor:
    """Mean and deviation of each channel: (B, c, places) -> (B, 2 c).

    The floor keeps the root's slope finite where a channel is constant.
    """
    mean = sequence.mean(2)
    variance = (sequence - mean.unsqueeze(2)).square().mean(2)
    return torch.cat([mean, (variance + 1e-5).sqrt()], dim=1)
