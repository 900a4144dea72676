"""Learned embedders: networks, which learn in torch and answer as ONNX."""

from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from unittest import SkipTest

import numpy as np

from earwitness.errors import MissingExtraError, MissingWeightsError
from earwitness.network import OnnxNetwork
from earwitness.testing.bench import Fed, agree, expect
from earwitness.types import FloatArray

if TYPE_CHECKING:
    import torch

__all__ = ["RULES", "LearnedBench", "by_torch"]


class LearnedBench(Fed):
    """A network of random weights, and the same as ONNX, which answers."""

    def fresh(self) -> "torch.nn.Module":
        """A network from one seed, in eval mode; SkipTest without torch."""
        if not (find_spec("torch") and find_spec("onnx")):
            raise SkipTest(str(MissingExtraError("asking a network", "train")))
        import torch

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            try:
                network: torch.nn.Module = self.part.network(self.shape[1])
            except (MissingExtraError, MissingWeightsError) as error:
                raise SkipTest(str(error)) from error
        return network.eval()

    @cached_property
    def network(self) -> "torch.nn.Module":
        """The network with its norms' statistics far from where they start."""
        network = self.fresh()
        import torch

        generator = torch.Generator().manual_seed(1)
        with torch.no_grad():
            for name, buffer in network.named_buffers():
                if name.endswith(("running_mean", "running_var")):
                    buffer.copy_(name.endswith("var") - 0.5 + torch.rand(buffer.shape, generator=generator))
        return network

    @cached_property
    def exported(self) -> OnnxNetwork | Exception:
        """The network as it answers, or why there is none."""
        network = self.network
        from earwitness.training.export import export_network

        with TemporaryDirectory() as folder:
            file = Path(folder) / "network.onnx"
            try:
                export_network(network, self.shape, file)
            except Exception as error:  # noqa: BLE001 - a stranger's network may raise anything at all
                return error
            return OnnxNetwork(file)

    def answer(self, batch: FloatArray) -> FloatArray:
        """(B, frames, dims) -> (B, d) by ONNX; SkipTest where there is none."""
        if isinstance(self.exported, Exception):
            raise SkipTest("its network has no ONNX to ask")
        return self.exported(batch)


def by_torch(network: Any, batch: FloatArray) -> FloatArray:
    """(B, frames, dims) -> (B, d)."""
    import torch

    with torch.inference_mode():
        vectors: FloatArray = network(torch.from_numpy(batch)).numpy()
    return vectors


def onnx_equals_torch(bench: LearnedBench) -> None:
    """Computes as ONNX what it computes in torch, to 1e-4, for batches of any size."""
    expected = by_torch(bench.network, bench.batch)
    if isinstance(bench.exported, Exception):
        raise bench.exported
    found = np.concatenate([bench.answer(bench.batch[rows]) for rows in (slice(0, 1), slice(1, 3), slice(3, None))])
    agree(found, expected, "as ONNX")


def starts_from_the_seed(bench: LearnedBench) -> None:
    """Starts from torch's seed alone: the same seed, the same network."""
    first, second = bench.fresh(), bench.fresh()
    agree(by_torch(second, bench.batch), by_torch(first, bench.batch), "a second network from the same seed")
    expect(first is not second, "the network is not a fresh one")


def weights_come_back(bench: LearnedBench) -> None:
    """Keeps all it learns in its weights: a fresh network that reads them from safetensors answers the same."""
    network, fresh = bench.network, bench.fresh()
    from safetensors.torch import load, save

    weights = {key: tensor.clone().contiguous() for key, tensor in network.state_dict().items()}
    fresh.load_state_dict(load(save(weights)))
    agree(by_torch(fresh, bench.batch), by_torch(network, bench.batch), "with weights read back")


def has_finite_slopes(bench: LearnedBench) -> None:
    """Has finite slopes where all features are alike, as silence makes them."""
    network = bench.fresh().train()
    import torch

    network(torch.zeros(2, *bench.shape)).sum().backward()
    wrong = [name for name, p in network.named_parameters() if p.grad is not None and not p.grad.isfinite().all()]
    expect(not wrong, f"slopes that are not finite in {', '.join(wrong)}")


RULES = (onnx_equals_torch, starts_from_the_seed, weights_come_back, has_finite_slopes)
