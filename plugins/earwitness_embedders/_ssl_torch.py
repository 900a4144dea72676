"""The torch module behind `ssl`; imported when a network is asked for, not before."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel

from earwitness.errors import MissingWeightsError, PipelineError

if TYPE_CHECKING:
    from earwitness_embedders.ssl import Ssl

WAVES = ("wav2vec2", "hubert", "wavlm")
BANDS = "wav2vec2-bert"
STACKED = 2
"""Frames of bands that w2v-BERT reads at a time."""

LEAST = 1e-7
"""Added to a variance, as the encoders' own preparation does."""


class Network(nn.Module):
    """Encoder, weighted layers, attentive statistics, projection."""

    def __init__(self, dims: int, settings: "Ssl") -> None:
        super().__init__()
        self.frozen = settings.frozen
        self.encoder = read_encoder(settings.folder)
        config = self.encoder.config
        self.stacked = STACKED if config.model_type == BANDS else 1
        wanted = config.feature_projection_input_dim // STACKED if config.model_type == BANDS else 1
        if dims != wanted:
            frontend = f"{{log_mel: {{bands: {wanted}}}}}" if config.model_type == BANDS else "waveform"
            raise PipelineError(
                f"ssl: this encoder reads {wanted} value(s) a frame, not {dims}: 'frontend: {frontend}'"
            )
        self.encoder.requires_grad_(not self.frozen)
        self.layers = nn.Parameter(torch.zeros(config.num_hidden_layers + 1))
        width = config.hidden_size
        self.pool = AttentiveStatistics(width, settings.hidden)
        self.project = nn.Linear(2 * width, settings.dim)

    def train(self, mode: bool = True) -> Self:
        """A frozen encoder answers without dropout while what is on top of it learns."""
        super().train(mode)
        self.encoder.train(mode and not self.frozen)
        return self

    def forward(self, features: Tensor) -> Tensor:
        """(B, frames, dims) -> (B, dim)."""
        deviation, mean = torch.var_mean(features, dim=1, keepdim=True, correction=0)
        features = (features - mean) / (deviation + LEAST).sqrt()
        if self.stacked > 1:
            count, dims = features.shape[1] // self.stacked, features.shape[2]
            features = features[:, : count * self.stacked].reshape(-1, count, self.stacked * dims)
        else:
            features = features.squeeze(2)
        states = torch.stack(self.encoder(features, output_hidden_states=True).hidden_states)  # (layers, B, t, width)
        sequence = torch.einsum("l,lbtw->btw", self.layers.softmax(dim=0), states)
        return cast(Tensor, self.project(self.pool(sequence)))


class AttentiveStatistics(nn.Module):
    """Mean and deviation over frames, each value of a frame by its own weights."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.ask = nn.Sequential(nn.Linear(width, hidden), nn.Tanh(), nn.Linear(hidden, width))

    def forward(self, sequence: Tensor) -> Tensor:
        """(B, t, width) -> (B, 2 width)."""
        weights = self.ask(sequence).softmax(dim=1)
        mean = (weights * sequence).sum(dim=1)
        variance = (weights * (sequence - mean.unsqueeze(1)).square()).sum(dim=1)
        return torch.cat([mean, variance.clamp(1e-5).sqrt()], dim=1)


def read_encoder(folder: str) -> Any:
    """The encoder in a folder, without what makes its training random."""
    if not folder:
        raise MissingWeightsError(
            "ssl needs an encoder's folder (config.json and model.safetensors): --set embedder.ssl.folder=FOLDER"
        )
    if not (Path(folder) / "config.json").is_file():
        raise PipelineError(f"ssl: {folder} has no config.json: name the folder that holds an encoder's")
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        if config.model_type not in (*WAVES, BANDS):
            raise PipelineError(f"ssl: {folder} is a {config.model_type}, not one of {', '.join((*WAVES, BANDS))}")
        config.apply_spec_augment, config.layerdrop = False, 0.0
        return AutoModel.from_pretrained(
            folder,
            config=config,
            local_files_only=True,
            use_safetensors=True,
            dtype=torch.float32,
            attn_implementation="eager",
        )
    except (OSError, ValueError) as error:
        raise PipelineError(f"ssl: {folder} can't be read ({error}): save it with save_pretrained") from error
