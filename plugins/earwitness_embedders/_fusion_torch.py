"""The layers of `multifeature_fusion`."""

from itertools import pairwise
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from earwitness_embedders._supervector_torch import Parted, image_places, image_stages

if TYPE_CHECKING:
    from earwitness_embedders.multifeature_fusion import MultifeatureFusion


class Network(nn.Module):
    """(B, rows, dims) -> (B, dim)."""

    def __init__(self, dims: int, settings: "MultifeatureFusion") -> None:
        super().__init__()
        width = settings.bottleneck
        self.parted = Parted(dims, settings.components, settings.factors)
        self.stages = image_stages(settings.widths)
        columns = image_places((1 << len(settings.widths), dims), settings.widths)
        self.frames = nn.Sequential(nn.Linear(columns, width), nn.ReLU())
        units = (settings.components * dims, *settings.hidden, width)
        self.supervector = nn.Sequential(*(nn.Sequential(nn.Linear(*pair), nn.ReLU()) for pair in pairwise(units)))
        self.factors = nn.Sequential(nn.BatchNorm1d(settings.factors), nn.Linear(settings.factors, width), nn.ReLU())
        self.attention = Attention(width)
        self.project = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, settings.dim))

    def forward(self, features: Tensor) -> Tensor:
        """(B, rows, dims) -> (B, dim)."""
        supervector, factors, frames = self.parted(features)
        maps = self.stages(frames.unsqueeze(1)).mean(dim=2)  # (B, channels, dims / 8)
        found = self.frames(maps.flatten(1)), self.supervector(supervector), self.factors(factors)
        return cast(Tensor, self.project(self.attention(torch.stack(found, dim=1))))


class Attention(nn.Module):
    """The sum of vectors by weights that each asks for: w = softmax_k(v' tanh(W e_k + b))."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.ask = nn.Sequential(nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1, bias=False))

    def forward(self, vectors: Tensor) -> Tensor:
        """(B, k, width) -> (B, width)."""
        return cast(Tensor, (self.ask(vectors).softmax(dim=1) * vectors).sum(dim=1))
