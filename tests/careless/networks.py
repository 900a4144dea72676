"""Careless networks."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np


@dataclass(frozen=True)
class Linear:
    """Keeps all rules: a matrix times the mean of the frames."""

    name: ClassVar[str] = "linear"

    def network(self, dims):
        import torch

        part = self

        class Network(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.matrix = torch.nn.Linear(dims, 8)
                part.prepare(self)

            def forward(self, features):
                return part.forward(self, features)

        return Network()

    def prepare(self, network):
        pass

    def forward(self, network, features):
        return network.matrix(features.mean(1))


class OtherAsOnnx(Linear):
    name: ClassVar[str] = "other_as_onnx"

    def forward(self, network, features):
        import torch

        return network.matrix(features.mean(1)) * (2 if torch.compiler.is_exporting() else 1)


class OwnChance(Linear):
    """Starts from NumPy's chance, not torch's."""

    name: ClassVar[str] = "own_chance"

    def prepare(self, network):
        import torch

        network.matrix.weight.data = torch.from_numpy(np.random.default_rng().standard_normal((8, 20), np.float32))


class ForgetsItsNorm(Linear):
    """Keeps what its norm learned out of its weights."""

    name: ClassVar[str] = "forgets_its_norm"

    def prepare(self, network):
        import torch

        network.register_buffer("running_mean", torch.zeros(8), persistent=False)

    def forward(self, network, features):
        return network.matrix(features.mean(1)) - network.running_mean


class SteepAtZero(Linear):
    name: ClassVar[str] = "steep_at_zero"

    def forward(self, network, features):
        rows = network.matrix(features)
        return rows.mean(1) + ((rows - rows.mean(1, keepdim=True)) ** 2).mean(1).sqrt()


NETWORKS = [Linear, OtherAsOnnx, OwnChance, ForgetsItsNorm, SteepAtZero]
