"""The layers of `lcnn`."""

from typing import cast

from torch import Tensor, nn


class MaxFeatureMap(nn.Module):
    """The larger of each two channels, half the channels apart."""

    def forward(self, maps: Tensor) -> Tensor:
        """(B, 2 c, ...) -> (B, c, ...)."""
        first, second = maps.chunk(2, dim=1)
        return first.maximum(second)


class Network(nn.Module):
    """Features normalised, as an image of one channel, to the mean over frames and the embedding."""

    def __init__(self, dims: int, width: int, dropout: float, dim: int) -> None:
        super().__init__()
        second, third = 3 * width // 2, 2 * width
        self.normalise = nn.BatchNorm1d(dims)
        self.stages = nn.Sequential(
            *_competition(1, width, 5),
            _halving(),
            *_competition(width, width, 1, norm=True),
            *_competition(width, second, 3),
            _halving(),
            nn.BatchNorm2d(second),
            *_competition(second, second, 1, norm=True),
            *_competition(second, third, 3),
            _halving(),
            *_competition(third, third, 1, norm=True),
            *_competition(third, width, 3, norm=True),
            *_competition(width, width, 1, norm=True),
            *_competition(width, width, 3),
            _halving(),
        )
        self.project = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(width * -(-dims // 16), 2 * dim), MaxFeatureMap(), nn.BatchNorm1d(dim)
        )

    def forward(self, features: Tensor) -> Tensor:
        """(B, frames, dims) -> (B, dim)."""
        image = self.normalise(features.transpose(1, 2)).unsqueeze(1)  # (B, 1, dims, frames)
        maps = self.stages(image)  # (B, width, dims / 16, frames / 16)
        return cast(Tensor, self.project(maps.mean(dim=3).flatten(1)))


def _competition(inputs: int, outputs: int, size: int, *, norm: bool = False) -> tuple[nn.Module, ...]:
    """A convolution of twice the channels, of which half pass."""
    layers = nn.Conv2d(inputs, 2 * outputs, size, padding=size // 2), MaxFeatureMap()
    return (*layers, nn.BatchNorm2d(outputs)) if norm else layers


def _halving() -> nn.Module:
    """Half of both axes, rounded up, so that even a few frames leave one."""
    return nn.MaxPool2d(2, ceil_mode=True)
