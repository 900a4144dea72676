"""Which parts of a network learn, and that the others stay as they are."""

from torch import nn

from earwitness.errors import PipelineError

__all__ = ["freeze", "wake"]

HEAD = "head"
"""Not of the network, and always learning: to name it alone leaves the network as it is."""


def freeze(network: nn.Module, trained: tuple[str, ...]) -> None:
    """Let no parameters learn but those of the `trained` parts; all may where none is named.

    Raises:
        PipelineError: The network has no such part.
    """
    parts = [name for name, _ in network.named_modules() if name]
    if strange := [name for name in trained if name not in (*parts, HEAD)]:
        choice = ", ".join((*(name for name, _ in network.named_children()), HEAD))
        raise PipelineError(
            f"training.trained names {strange[0]!r}, which is no part of the network: choose from {choice}"
        )
    for name, parameter in network.named_parameters():
        if trained and not name.startswith(tuple(f"{part}." for part in trained)):
            parameter.requires_grad_(False)


def wake(network: nn.Module, trained: tuple[str, ...]) -> None:
    """Put what learns into training mode and all else into that of answering, where norms keep their statistics."""
    network.train(not trained)
    for name, part in network.named_modules():
        if name in trained:
            part.train()
