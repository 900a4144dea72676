"""How far a comparison is, for the person who waits."""

from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Self, TypeVar

from rich import progress as rich
from rich.console import Console

__all__ = ["Bar"]

T = TypeVar("T")
DAY = 86400.0


class Bar:
    """A bar on standard error: what is being done, cells done of `total`, time left; only on a terminal."""

    def __init__(self, total: int, quiet: bool = False) -> None:
        console = Console(stderr=True)
        self._bar = rich.Progress(
            rich.TextColumn("{task.description}"),
            rich.BarColumn(),
            rich.MofNCompleteColumn(),
            rich.TimeRemainingColumn(elapsed_when_finished=True),
            console=console,
            disable=quiet or not console.is_terminal,
            speed_estimate_period=DAY,  # a cell may take hours
        )
        self._task = self._bar.add_task("bench", total=total)
        self._who = ""

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.stop()

    def turn(self, who: str) -> None:
        """Whose turn it is from now on."""
        self._who = who

    def tell(self, what: str) -> None:
        """What is being done for him."""
        self._bar.update(self._task, description=f"{self._who}: {what}")

    def steps(self, steps: Iterable[T], total: int, what: str) -> Iterator[T]:
        """Pass the steps of one cell on, telling how many are done."""
        for number, step in enumerate(steps, start=1):
            self.tell(f"{what} {number}/{total}")
            yield step

    def advance(self, cells: int = 1) -> None:
        """So many more cells are done."""
        self._bar.advance(self._task, cells)
