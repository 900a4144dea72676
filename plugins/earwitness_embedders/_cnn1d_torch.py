"""The layers of `cnn1d`."""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from earwitness.errors import PipelineError


class Curves(nn.Module):
    """(B, frames, dims) -> (B, dim)."""

    def __init__(self, dims: int, bands: int, width: int, hidden: int, dropout: float, dim: int) -> None:
        super().__init__()
        self.channels, self.bands = dims // bands, bands
        if not self.channels:
            raise PipelineError(
                f"cnn1d has curves of {bands} bands, and the frontend gives {dims} numbers: lower bands"
            )
        self.norm = nn.BatchNorm1d(dims)
        widths = (width, width, 3 * width // 2, 2 * width)
        self.stages = nn.Sequential(
            _convolution(self.channels, widths[0], 5, 2),
            nn.ReLU(),
            Block(widths[0], widths[1], 1),
            Block(widths[1], widths[2], 2),
            Block(widths[2], widths[3], 2),
        )
        with torch.no_grad():
            places = self.stages.eval()(torch.zeros(1, self.channels, bands)).numel()
        self.out = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(places + dims % bands, hidden, bias=False),
            nn.BatchNorm1d(hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, dim),
        )

    def forward(self, features: Tensor) -> Tensor:
        """(B, frames, dims) -> (B, dim)."""
        row = self.norm(features.mean(dim=1))
        curves, numbers = row.split([self.channels * self.bands, row.shape[1] - self.channels * self.bands], dim=1)
        found = self.stages(curves.reshape(-1, self.channels, self.bands))  # (B, 2 width, bands / 8)
        return cast(Tensor, self.out(torch.cat([found.flatten(1), numbers], dim=1)))


class Block(nn.Module):
    """relu(BN conv relu BN conv x + shortcut x); the shortcut is a convolution of 1 where the shape changes."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first, self.second = _convolution(inputs, outputs, 3, stride), _convolution(outputs, outputs, 3, 1)
        same = inputs == outputs and stride == 1
        self.shortcut = nn.Identity() if same else _convolution(inputs, outputs, 1, stride)

    def forward(self, curves: Tensor) -> Tensor:
        """(B, inputs, m) -> (B, outputs, m / stride)."""
        return functional.relu(self.second(functional.relu(self.first(curves))) + self.shortcut(curves))


def _convolution(inputs: int, outputs: int, size: int, stride: int) -> nn.Sequential:
    """A convolution with batch normalisation, which makes a bias idle."""
    return nn.Sequential(
        nn.Conv1d(inputs, outputs, size, stride, padding=size // 2, bias=False), nn.BatchNorm1d(outputs)
    )
