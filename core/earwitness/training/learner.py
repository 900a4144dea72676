"""The network with the head it learns under, its optimizer and schedule."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.lr_scheduler import LinearLR, LRScheduler, OneCycleLR, StepLR

from earwitness.contracts import Branched, LearnedEmbedder
from earwitness.errors import PipelineError
from earwitness.network import Device
from earwitness.pipeline import Recipe
from earwitness.training.data import Corpus
from earwitness.training.parts import freeze, wake
from earwitness.types import FloatArray, IntArray

__all__ = ["Classifier", "Learner", "prototypical_cosines", "reproducible", "with_margin"]

BATCH = 32
SETTLED = 256  # clips at once
EDGE = 1e-6  # where the arc cosine's slope is still finite in float32


class Classifier(nn.Module):
    """An embedding network and a direction for each class: cosines between the two.

    cos(theta_k) = <e, w_k> / (|e| |w_k|), so that what is learned is angles, which is how clips are compared
    afterwards (Wang et al., NormFace, ACM MM 2017). Branches of the network that learn under losses of their own, of
    so many numbers each, have such heads too, which answering needs nothing of.
    """

    def __init__(self, network: nn.Module, dim: int, classes: int, branches: Sequence[int] = ()) -> None:
        super().__init__()
        self.network = network
        self.head = nn.Linear(dim, classes, bias=False)
        self.branch_heads = nn.ModuleList(nn.Linear(width, classes, bias=False) for width in branches)

    def embed(self, features: Tensor) -> Tensor:
        """(B, frames, dims) -> (B, d), unit."""
        return functional.normalize(self.network(features).float())

    def embed_all(self, features: Tensor) -> tuple[Tensor, ...]:
        """(B, frames, dims) -> (B, d), and (B, d') of each branch that has a head, all unit."""
        if not self.branch_heads:
            return (self.embed(features),)
        found = cast(Branched, self.network).branches(features)
        return tuple(functional.normalize(each.float()) for each in found)

    def cosines(self, embeddings: Tensor, branch: int = 0) -> Tensor:
        """(B, d) -> (B, K), by the head of what `embed_all` gives there."""
        head = self.branch_heads[branch - 1] if branch else self.head
        return functional.linear(embeddings, functional.normalize(cast(Tensor, head.weight)))

    def forward(self, features: Tensor) -> Tensor:
        """(B, frames, dims) -> cosines (B, K)."""
        return self.cosines(self.embed(features))


class Learner:
    """AdamW, by default under a one-cycle schedule (Smith and Topin, 2018), on softmax over scaled cosines.

    Without weight decay it is Adam.

    L = CE(softmax(s cos(theta_k + m [k = y])), y), label smoothed, with s `Recipe.scale` and m `Recipe.margin`
    (Deng et al., ArcFace, CVPR 2019); theta_k is the angle to the head's direction of class k or, in an episode, to
    the mean of the other clips of k (`prototypical_cosines`). With `Recipe.losses`, what descends is their weighted sum
    of L for the embedding and for each branch (deep-and-shallow loss, Zeng et al., EURASIP JASP, 2021). On a GPU the
    network runs in bfloat16, whose range needs no loss scaling.

    Raises:
        PipelineError: The recipe weighs more or fewer losses than the network has, or names a part that it hasn't.
    """

    def __init__(
        self,
        embedder: LearnedEmbedder,
        recipe: Recipe,
        shape: tuple[int, int],
        classes: int,
        seed: int,
        device: Device = "cpu",
    ) -> None:
        self.seed, self.device = seed, device
        with reproducible(seed, device):
            network = embedder.network(shape[1])
            dim, *branches = _widths(network.eval(), torch.zeros(1, *shape), recipe.losses)
            self.model = Classifier(network, dim, classes, branches).to(device)
        freeze(network, recipe.trained)
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        self.schedule = _schedule(self.optimizer, recipe)
        self._recipe = recipe

    def step(self, features: FloatArray, labels: IntArray) -> float:
        """One step of descent on (B, frames, dims) and (B,); returns the loss before it."""
        wake(self.model.network, self._recipe.trained)
        targets = torch.from_numpy(labels).to(self.device)
        with torch.autocast(self.device, torch.bfloat16, enabled=self.device == "cuda"):
            found = self.model.embed_all(torch.from_numpy(features).to(self.device))
        weights = self._recipe.losses or (1.0,)
        parts = [w * self._loss(each, targets, at) for at, (w, each) in enumerate(zip(weights, found, strict=True))]
        loss = torch.stack(parts).sum()
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        self.schedule.step()
        return loss.item()

    def _loss(self, embeddings: Tensor, targets: Tensor, branch: int) -> Tensor:
        """L of unit rows (B, d) of classes (B,): embeddings, or what a branch gives."""
        recipe = self._recipe
        if recipe.shots:
            cosines, targets = prototypical_cosines(embeddings, recipe.shots)
        else:
            cosines = self.model.cosines(embeddings, branch)
        logits = recipe.scale * with_margin(cosines, targets, recipe.margin)
        return functional.cross_entropy(logits, targets, label_smoothing=recipe.smoothing)

    @torch.no_grad()
    def settle(self, corpus: Corpus) -> None:
        """After episodes, which learn no head: direct it to the mean of the first few clips of each class."""
        if not self._recipe.shots:
            return
        self.model.eval()
        classes = range(len(self.model.head.weight))
        first = np.concatenate([np.flatnonzero(corpus.labels == label)[: self._recipe.shots] for label in classes])
        self.model.head.weight.zero_()
        for block in np.array_split(first, -(-len(first) // SETTLED)):
            windows = [corpus.clips[clip].windows(0) for clip in block]
            labels = torch.from_numpy(np.repeat(corpus.labels[block], [len(each) for each in windows]))
            embeddings = self.model.embed(torch.from_numpy(np.concatenate(windows)).to(self.device))
            self.model.head.weight.index_add_(0, labels.to(self.device), embeddings)

    @torch.inference_mode()
    def cosines(self, features: FloatArray) -> FloatArray:
        """(B, frames, dims) -> (B, K), by the head."""
        self.model.eval()
        parts = [
            self.model(torch.from_numpy(features[i : i + BATCH]).to(self.device)).cpu().numpy()
            for i in range(0, len(features), BATCH)
        ]
        return np.concatenate(parts)

    def weights(self) -> dict[str, Tensor]:
        """A copy of all weights, on the CPU: `network.` and `head.`."""
        return {key: value.detach().cpu().clone() for key, value in self.model.state_dict().items()}


@torch.no_grad()
def _widths(network: nn.Module, example: Tensor, losses: tuple[float, ...]) -> list[int]:
    """Length of the embedding and, where they have losses of their own, of what each branch gives."""
    found = network.branches(example) if losses and isinstance(network, Branched) else (network(example),)
    if losses and len(losses) != len(found):
        raise PipelineError(
            f"training.losses has {len(losses)} weights, and the network gives an embedding and {len(found) - 1} "
            f"branches: give {len(found)}, or none for the embedding alone"
        )
    return [each.shape[1] for each in found]


def _schedule(optimizer: torch.optim.Optimizer, recipe: Recipe) -> LRScheduler:
    """How the learning rate changes from step to step."""
    steps = recipe.epochs * recipe.steps
    if recipe.schedule == "linear":
        return LinearLR(optimizer, 1.0, 0.0, steps)
    if recipe.schedule == "steps":
        return StepLR(optimizer, recipe.period * recipe.steps)
    return OneCycleLR(optimizer, recipe.learning_rate, total_steps=steps)


def with_margin(cosines: Tensor, targets: Tensor, margin: float) -> Tensor:
    """Cosines (B, K) with `margin` radians added to each example's angle to its own class, up to pi."""
    angles = cosines.clamp(-1 + EDGE, 1 - EDGE).acos()
    own = functional.one_hot(targets, cosines.shape[1])
    return (angles + margin * own).clamp(max=math.pi).cos()


def prototypical_cosines(embeddings: Tensor, shots: int) -> tuple[Tensor, Tensor]:
    """Each clip of an episode with each class, itself left out of the mean of its own.

    The n-th clip of a class is compared with the means of all classes that leave out their n-th clip: none hears
    itself, and all means are of shots - 1 clips (Snell et al., Prototypical networks for few-shot learning, NeurIPS
    2017; with cosines, Chung et al., In defence of metric learning for speaker recognition, Interspeech 2020).

    Args:
        embeddings: (C shots, d) unit, the clips of a class side by side.
        shots: Clips of a class, two or more.

    Returns:
        (C shots, C) and the right class of each row (C shots,), rows by place within the class, then by class.
    """
    episode = embeddings.reshape(-1, shots, embeddings.shape[1])  # (C, shots, d)
    prototypes = functional.normalize(episode.sum(dim=1, keepdim=True) - episode, dim=2)
    cosines = torch.einsum("cnd,knd->nck", episode, prototypes).flatten(0, 1)
    return cosines, torch.arange(len(episode), device=embeddings.device).repeat(shots)


@contextmanager
def reproducible(seed: int, device: Device) -> Iterator[None]:
    """Within, chance comes from `seed` and, on a CPU, only algorithms that repeat themselves run."""
    strict = torch.are_deterministic_algorithms_enabled()
    with torch.random.fork_rng(devices=range(torch.cuda.device_count() if device == "cuda" else 0)):
        torch.manual_seed(seed)
        torch.use_deterministic_algorithms(device == "cpu")
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(strict)
