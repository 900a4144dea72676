"""The layers of `pstnn`."""

from itertools import pairwise, zip_longest
from math import ceil
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from earwitness_embedders._supervector_torch import Parted

if TYPE_CHECKING:
    from earwitness_embedders.pstnn import Pstnn

FILTERS = (6, 16, 40)
RESIDUAL_BLOCKS, RESIDUAL_FILTERS = 4, 16
ATTENTION = 3
"""Places along the row that a weight of attention looks at."""


class Network(nn.Module):
    """(B, components + frames, dims) -> (B, dim)."""

    def __init__(self, dims: int, settings: "Pstnn") -> None:
        super().__init__()
        width, drop = settings.hidden[-1], settings.dropout
        self.parted = Parted(dims, settings.components)
        image = settings.components, dims
        self.sides = nn.ModuleDict()
        if settings.spatial == "none":
            self.parted.supervector = nn.Identity()
        else:
            self.sides["spatial"] = nn.Sequential(SPATIAL[settings.spatial](settings, image), _rectified(width, drop))
        if settings.temporal == "none":
            self.parted.frames = nn.Identity()
        else:
            self.sides["temporal"] = Recurrent(dims, settings.frames, settings.temporal == "bilstm", width, drop)
        weighed = settings.fusion == "attention" and len(self.sides) > 1
        self.fuse = Attention() if weighed else nn.Flatten()
        self.project = _narrowing(width if weighed else len(self.sides) * width, settings)

    def forward(self, features: Tensor) -> Tensor:
        """(B, components + frames, dims) -> (B, dim)."""
        return self.branches(features)[0]

    def branches(self, features: Tensor) -> tuple[Tensor, ...]:
        """(B, components + frames, dims) -> (B, dim), and of the spatial and the temporal branch (B, width)."""
        supervector, _, frames = self.parted(features)
        read = {"spatial": supervector, "temporal": frames}
        found = [side(read[name]) for name, side in self.sides.items()]
        return self.project(self.fuse(torch.stack(found, dim=1))), *found


class Recurrent(nn.Module):
    """Two recurrent layers, the second of twice the units, and a full layer over the states of all frames."""

    def __init__(self, dims: int, frames: int, both_ways: bool, width: int, drop: float) -> None:
        super().__init__()
        ways = 1 + both_ways
        self.first = nn.LSTM(dims, dims, batch_first=True, bidirectional=both_ways)
        self.second = nn.LSTM(ways * dims, 2 * dims, batch_first=True, bidirectional=both_ways)
        self.full = nn.Sequential(nn.Linear(frames * ways * 2 * dims, width, bias=False), _rectified(width, drop))

    def forward(self, frames: Tensor) -> Tensor:
        """(B, frames, dims) -> (B, width)."""
        states = self.second(self.first(frames)[0])[0]
        return cast(Tensor, self.full(states.flatten(1)))


class Attention(nn.Module):
    """Two rows weighed against each other, place by place."""

    def __init__(self) -> None:
        super().__init__()
        self.look = nn.Conv1d(2, 2, ATTENTION, padding=ATTENTION // 2)

    def forward(self, both: Tensor) -> Tensor:
        """(B, 2, width) -> (B, width)."""
        smooth = functional.avg_pool1d(self.look(both), ATTENTION, stride=1, padding=ATTENTION // 2)
        return (smooth.softmax(dim=1) * both).sum(dim=1)


class Residual(nn.Module):
    """pool(x + f(x)), f four convolutions, each behind a normalisation and a rectifier."""

    def __init__(self) -> None:
        super().__init__()
        channels = RESIDUAL_FILTERS
        layers: list[nn.Module] = []
        for _ in range(4):
            layers += [nn.BatchNorm2d(channels), nn.ReLU(), nn.Conv2d(channels, channels, 3, padding=1, bias=False)]
        self.body = nn.Sequential(*layers)

    def forward(self, image: Tensor) -> Tensor:
        """(B, c, h, w) -> (B, c, h / 2, w / 2)."""
        return functional.max_pool2d(image + self.body(image), 2, ceil_mode=True)


def _dnn(settings: "Pstnn", image: tuple[int, int]) -> nn.Module:
    """Full layers."""
    inputs = (image[0] * image[1], *settings.hidden)
    layers = [nn.Linear(before, after, bias=False) for before, after in zip(inputs, settings.hidden, strict=False)]
    norms = [_rectified(units, settings.dropout) for units in settings.hidden[:-1]]
    pairs = [layer for pair in zip(layers, norms, strict=False) for layer in pair]
    return nn.Sequential(*pairs, layers[-1])


def _cnn(settings: "Pstnn", image: tuple[int, int]) -> nn.Module:
    """Convolutions of 5x5, each pooled, and a full layer."""
    layers: list[nn.Module] = [nn.Unflatten(1, (1, *image))]
    for before, after in zip((1, *FILTERS[:-1]), FILTERS, strict=True):
        layers += [nn.Conv2d(before, after, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2, ceil_mode=True)]
    full = nn.Linear(FILTERS[-1] * _places(image, len(FILTERS)), settings.hidden[-1], bias=False)
    return nn.Sequential(*layers, nn.Flatten(), full)


def _resnet(settings: "Pstnn", image: tuple[int, int]) -> nn.Module:
    """Residual blocks, each pooled, and a full layer."""
    enter = nn.Unflatten(1, (1, *image)), nn.Conv2d(1, RESIDUAL_FILTERS, 3, padding=1, bias=False)
    blocks = [Residual() for _ in range(RESIDUAL_BLOCKS)]
    full = nn.Linear(RESIDUAL_FILTERS * _places(image, RESIDUAL_BLOCKS), settings.hidden[-1], bias=False)
    return nn.Sequential(*enter, *blocks, nn.Flatten(), full)


SPATIAL = {"dnn": _dnn, "cnn": _cnn, "resnet": _resnet}


def _narrowing(width: int, settings: "Pstnn") -> nn.Sequential:
    """Full layers behind the fusion, each half as wide as the one before, `dim` at last."""
    sizes = [width, *(settings.dim << step for step in reversed(range(settings.depth)))]
    layers = [nn.Linear(before, after) for before, after in pairwise(sizes)]
    norms = [_rectified(after, settings.dropout) for after in sizes[1:-1]]
    return nn.Sequential(*(each for pair in zip_longest(layers, norms) for each in pair if each))


def _places(image: tuple[int, int], halvings: int) -> int:
    """Places of an image halved so many times, rounded up."""
    rows, columns = (ceil(side / (1 << halvings)) for side in image)
    return rows * columns


def _rectified(units: int, drop: float) -> nn.Sequential:
    """What follows a full layer."""
    return nn.Sequential(nn.BatchNorm1d(units), nn.ReLU(), nn.Dropout(drop))
