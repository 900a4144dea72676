"""The layers of `noise_mlp` and `noise_cnn`."""

from math import ceil
from typing import cast

import torch
from torch import Tensor, nn

FILTER, POOL = 5, 4


class Perceptron(nn.Module):
    """Hidden layers one behind the other, or side by side."""

    def __init__(self, dims: int, layers: int, width: int, averaging: bool) -> None:
        super().__init__()
        self.normalise, self.averaging = nn.BatchNorm1d(dims), averaging
        inputs = [dims if averaging or layer == 0 else width for layer in range(layers)]
        self.layers = nn.ModuleList(nn.Sequential(nn.Linear(units, width), nn.ReLU()) for units in inputs)

    def forward(self, features: Tensor) -> Tensor:
        """(B, segments, dims) -> (B, d)."""
        hidden = self.normalise(features.transpose(1, 2)).transpose(1, 2)
        if self.averaging and len(self.layers):
            hidden = torch.cat([layer(hidden) for layer in self.layers], dim=2)
        else:
            for layer in self.layers:
                hidden = layer(hidden)
        return cast(Tensor, hidden.mean(dim=1))


class Convolutions(nn.Module):
    """Two convolutions along the spectrum, and a full layer."""

    def __init__(self, dims: int, kernels: tuple[int, int], dim: int) -> None:
        super().__init__()
        self.normalise = nn.BatchNorm1d(dims)
        self.stages = nn.Sequential(*_stage(1, kernels[0]), *_stage(*kernels))
        places = ceil(ceil(dims / POOL) / POOL)
        self.project = nn.Linear(kernels[1] * places, dim)

    def forward(self, features: Tensor) -> Tensor:
        """(B, segments, dims) -> (B, dim)."""
        spectra = self.normalise(features.transpose(1, 2)).transpose(1, 2).unsqueeze(2)  # (B, segments, 1, dims)
        found = self.project(self.stages(spectra.flatten(0, 1)).flatten(1))  # (B segments, dim)
        return cast(Tensor, found.unflatten(0, (-1, spectra.shape[1])).mean(dim=1))


def _stage(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
    """A convolution, rectified and pooled."""
    filters = nn.Conv1d(inputs, outputs, FILTER, padding=FILTER // 2)
    return filters, nn.ReLU(), nn.MaxPool1d(POOL, ceil_mode=True)
