"""How far a long evaluation is, for whoever wants to show it."""

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

__all__ = ["Progress", "unwatched"]

T = TypeVar("T")


class Progress(Protocol):
    """Passes steps on and shows how many of them are done."""

    def __call__(self, steps: Iterable[T], total: int, what: str) -> Iterator[T]:
        """The same steps; `total` of them are to come, and `what` says what they do."""
        ...


def unwatched(steps: Iterable[T], total: int, what: str) -> Iterator[T]:  # noqa: ARG001
    """Pass steps on and show nothing."""
    yield from steps
