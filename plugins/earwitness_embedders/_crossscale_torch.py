"""The layers of `crossscale`."""

from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn
from torch._higher_order_ops.scan import scan
from torch.nn import functional

from earwitness.errors import PipelineError

if TYPE_CHECKING:
    from earwitness_embedders.crossscale import CrossScale

SIZE = 3
"""Of the filters."""

State = tuple[Tensor, Tensor]


class Network(nn.Module):
    """(B, frames, dims) -> (B, dim)."""

    waves: Tensor

    def __init__(self, dims: int, settings: "CrossScale") -> None:
        super().__init__()
        self.normalise = nn.BatchNorm1d(dims)
        self.frames = nn.ModuleList()
        inputs, places = 1, dims
        for kernels, stride in zip(settings.kernels, settings.strides, strict=True):
            layer = ConvLstm(inputs, kernels, stride, places)
            self.frames.append(layer)
            inputs, places = kernels, layer.places
        self.norms = nn.ModuleList(nn.BatchNorm2d(kernels) for kernels in settings.kernels)
        row, units = inputs * places, settings.units
        self.clip = nn.LSTM(row, units, batch_first=True, bidirectional=True) if units else None
        row = 2 * units or row
        self.encoders = nn.Sequential(
            *(Encoder(row, settings.heads, settings.head_dim, settings.hidden) for _ in range(settings.encoders))
        )
        self.register_buffer("waves", torch.arange(row).sin(), persistent=False)
        self.project = nn.Linear(row, settings.dim)

    def forward(self, features: Tensor) -> Tensor:
        """(B, frames, dims) -> (B, dim)."""
        sequence = self.normalise(features.transpose(1, 2)).transpose(1, 2).unsqueeze(2)  # (B, frames, 1, dims)
        for layer, norm in zip(self.frames, self.norms, strict=True):
            sequence = norm(layer(sequence).transpose(1, 2)).transpose(1, 2)  # (B, frames, kernels, places)
        return cast(Tensor, self.project(self.encoders(self._recalled(sequence.flatten(2)) + self.waves)))

    def _recalled(self, frames: Tensor) -> Tensor:
        """(B, frames, n) -> (B, row): last states of the BiLSTM, else of the ConvLSTM, else the mean frame."""
        if self.clip is None:
            return frames[:, -1] if self.frames else frames.mean(dim=1)
        forward, backward = self.clip(frames)[0].chunk(2, dim=2)  # (B, frames, units)
        return torch.cat([forward[:, -1], backward[:, 0]], dim=1)


class ConvLstm(nn.Module):
    """An LSTM whose products with matrices are convolutions along the features of a frame."""

    def __init__(self, inputs: int, kernels: int, stride: int, width: int) -> None:
        super().__init__()
        self.kernels, self.places = kernels, (width - SIZE) // stride + 1
        if self.places < 1:
            raise PipelineError("crossscale slides over the features of a frame, and there are too few: lower strides")
        self.inward = nn.Conv1d(inputs, 4 * kernels, SIZE, stride)
        self.onward = nn.Conv1d(kernels, 4 * kernels, SIZE, padding=SIZE // 2, bias=False)
        self.peephole = nn.Parameter(torch.zeros(3, kernels, self.places))

    def forward(self, sequence: Tensor) -> Tensor:
        """(B, frames, inputs, width) -> hidden states (B, frames, kernels, places)."""
        drives = self.inward(sequence.flatten(0, 1)).unflatten(0, (-1, sequence.shape[1])).transpose(0, 1)
        still = torch.zeros_like(drives[0, :, : self.kernels])
        return self._states((still, still.clone()), drives).transpose(0, 1)

    def _states(self, state: State, drives: Tensor) -> Tensor:
        """Hidden states (frames, B, kernels, places); exported as a loop, which unrolled has thousands of operators."""
        if torch.compiler.is_exporting():
            return cast(Tensor, scan(self._told, state, drives, dim=0)[1])
        hidden = []
        for drive in drives:
            state = self.step(state, drive)
            hidden.append(state[0])
        return torch.stack(hidden)

    def _told(self, state: State, drive: Tensor) -> tuple[State, Tensor]:
        state = self.step(state, drive)
        return state, state[0].clone()

    def step(self, state: State, drive: Tensor) -> State:
        """One frame on: h and c (B, kernels, places), and what the input says (B, 4 kernels, places)."""
        hidden, cell = state
        enter, forget, leave, new = (drive + self.onward(hidden)).chunk(4, dim=1)
        enter, forget = torch.sigmoid(enter + self.peephole[0] * cell), torch.sigmoid(forget + self.peephole[1] * cell)
        cell = forget * cell + enter * torch.tanh(new)
        return torch.sigmoid(leave + self.peephole[2] * cell) * torch.tanh(cell), cell


class Encoder(nn.Module):
    """A transformer encoder over the numbers of a row, each a token."""

    def __init__(self, row: int, heads: int, head_dim: int, hidden: int) -> None:
        super().__init__()
        self.heads = heads
        self.ask = nn.Linear(1, 3 * heads * head_dim)
        self.answer = nn.Linear(heads * head_dim, 1)
        self.mlp = nn.Sequential(nn.Linear(1, hidden), nn.ReLU(), nn.Linear(hidden, 1))
        self.norms = nn.ModuleList(nn.LayerNorm(row) for _ in range(2))

    def forward(self, row: Tensor) -> Tensor:
        """(B, row) -> (B, row)."""
        tokens = row.unsqueeze(2)  # (B, row, 1)
        query, key, value = (
            part.unflatten(2, (self.heads, -1)).transpose(1, 2) for part in self.ask(tokens).chunk(3, dim=2)
        )  # (B, heads, row, head_dim)
        told = functional.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
        row = self.norms[0](row + self.answer(told).squeeze(2))
        return cast(Tensor, self.norms[1](row + self.mlp(row.unsqueeze(2)).squeeze(2)))
