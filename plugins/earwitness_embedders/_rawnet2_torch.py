"""The layers of `rawnet2`."""

from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from earwitness.errors import PipelineError

if TYPE_CHECKING:
    from earwitness_embedders.rawnet2 import RawNet2

SLOPE = 0.3
"""Of the leaky rectifiers."""

BLOCKS = 6


class Network(nn.Module):
    """(B, samples, 1) -> (B, dim)."""

    filters: Tensor

    def __init__(self, dims: int, settings: "RawNet2") -> None:
        super().__init__()
        if dims != 1:
            raise PipelineError(f"rawnet2 reads a waveform, not {dims} features a frame: 'frontend: waveform'")
        few, many = settings.widths
        self.register_buffer("filters", sinc_filters(few, settings.taps, settings.rate))
        self.norm = nn.BatchNorm1d(few)
        widths = [few, few, few, *[many] * (BLOCKS - 2)]
        self.blocks = nn.Sequential(*(Block(widths[i], widths[i + 1], first=i == 0) for i in range(BLOCKS)))
        self.last_norm = nn.BatchNorm1d(many)
        self.recur = nn.GRU(many, settings.units, settings.layers, batch_first=True)
        self.project = nn.Linear(settings.units, settings.dim)
        self.apply(_begin)

    def forward(self, features: Tensor) -> Tensor:
        """(B, samples, 1) -> (B, dim)."""
        bands = functional.conv1d(features.transpose(1, 2), self.filters, padding=self.filters.shape[2] // 2)
        maps = self.blocks(functional.selu(self.norm(thirded(bands.abs()))))  # (B, many, samples / 3**7)
        sequence = functional.selu(self.last_norm(maps)).transpose(1, 2)
        return cast(Tensor, self.project(self.recur(sequence)[0][:, -1]))


class Block(nn.Module):
    """scale(pool(f(x) + shortcut x)), f two convolutions behind norm and rectifier, in the first block behind none."""

    def __init__(self, inputs: int, outputs: int, *, first: bool) -> None:
        super().__init__()
        self.enter = nn.Identity() if first else nn.Sequential(nn.BatchNorm1d(inputs), nn.LeakyReLU(SLOPE))
        self.body = nn.Sequential(
            nn.Conv1d(inputs, outputs, 3, padding=1),
            nn.BatchNorm1d(outputs),
            nn.LeakyReLU(SLOPE),
            nn.Conv1d(outputs, outputs, 3, padding=1),
        )
        self.shortcut = nn.Identity() if inputs == outputs else nn.Conv1d(inputs, outputs, 3, padding=1)
        self.scale = FeatureMapScaling(outputs)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, inputs, t) -> (B, outputs, t / 3)."""
        return cast(Tensor, self.scale(thirded(self.body(self.enter(maps)) + self.shortcut(maps))))


class FeatureMapScaling(nn.Module):
    """Each channel times its weight, plus it: y = s x + s."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weigh = nn.Linear(channels, channels)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, c, t) -> (B, c, t)."""
        weights = torch.sigmoid(self.weigh(maps.mean(dim=2))).unsqueeze(2)
        return maps * weights + weights


def _begin(module: nn.Module) -> None:
    """Weights that keep the spread of what goes through: with torch's own, biases outweigh it thirteen layers on."""
    if isinstance(module, nn.Conv1d):
        nn.init.kaiming_normal_(module.weight, SLOPE)
        nn.init.zeros_(cast(Tensor, module.bias))
    elif isinstance(module, nn.GRU):
        for name, weights in module.named_parameters():
            if name.startswith("weight"):
                nn.init.xavier_uniform_(weights)
            else:
                nn.init.zeros_(weights)


def thirded(maps: Tensor) -> Tensor:
    """The largest of every three along time, (..., t) -> (..., t / 3); the last may be of fewer."""
    return functional.max_pool1d(maps, 3, ceil_mode=True)


def sinc_filters(count: int, taps: int, rate: int) -> Tensor:
    """Band-pass filters side by side on the mel scale, from 0 to half the rate: (count, 1, taps)."""
    highest = 2595 * torch.log10(torch.tensor(1 + rate / 2 / 700, dtype=torch.float64))
    edges = 700 * (10 ** (torch.linspace(0, 1, count + 1, dtype=torch.float64) * highest / 2595) - 1) / rate
    places = torch.arange(taps, dtype=torch.float64) - taps // 2
    lowpass = 2 * edges[:, None] * torch.sinc(2 * edges[:, None] * places)  # (count + 1, taps)
    window = torch.hamming_window(taps, periodic=False, dtype=torch.float64)
    return ((lowpass[1:] - lowpass[:-1]) * window).float().unsqueeze(1)
