"""The layers of `perceptron`."""

from itertools import pairwise
from typing import cast

from torch import Tensor, nn


class FullLayers(nn.Module):
    """(B, frames, dims) -> (B, dim)."""

    def __init__(self, dims: int, width: int, depth: int, dropout: float, dim: int) -> None:
        super().__init__()
        sizes = [dims, *[width] * depth]
        self.norm = nn.BatchNorm1d(dims)
        self.hidden = nn.Sequential(*(_layer(*pair, dropout) for pair in pairwise(sizes)))
        self.out = nn.Sequential(nn.Linear(sizes[-1], dim), nn.BatchNorm1d(dim))

    def forward(self, features: Tensor) -> Tensor:
        """(B, frames, dims) -> (B, dim)."""
        return cast(Tensor, self.out(self.hidden(self.norm(features.mean(dim=1)))))


def _layer(before: int, after: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(nn.Linear(before, after, bias=False), nn.BatchNorm1d(after), nn.ReLU(), nn.Dropout(dropout))
