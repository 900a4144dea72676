"""How far a screening is, for the person who waits."""

from types import TracebackType
from typing import Self

from rich import progress as rich
from rich.console import Console
from rich.text import Text

__all__ = ["Progress"]


class _Speed(rich.ProgressColumn):
    """Clips a second."""

    def render(self, task: rich.Task) -> Text:
        return Text(f"{task.speed or 0:.1f} clips/s")


class Progress:
    """A bar on standard error with clips a second, failures and time left; `shown` None = only on a terminal."""

    def __init__(self, shown: bool | None = None) -> None:
        console = Console(stderr=True)
        self._bar = rich.Progress(
            rich.TextColumn("screening"),
            rich.BarColumn(),
            rich.MofNCompleteColumn(),
            _Speed(),
            rich.TextColumn("{task.fields[errors]} failed"),
            rich.TimeRemainingColumn(),
            console=console,
            disable=not (console.is_terminal if shown is None else shown),
        )
        self._total = 0
        self._task = self._bar.add_task("screening", total=0, errors=0)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.stop()

    def expect(self, clips: int) -> None:
        """So many more clips are to come."""
        self._total += clips
        self._bar.update(self._task, total=self._total)

    def advance(self, errors: int) -> None:
        """One more clip is done, and so many have failed until now."""
        self._bar.update(self._task, advance=1, errors=errors)
