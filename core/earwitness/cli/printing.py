"""How answers look on a terminal, and as JSON."""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from typer import Exit

if TYPE_CHECKING:
    from earwitness.tracing import Traced
    from earwitness.types import Verdict

__all__ = [
    "claim",
    "print_json",
    "print_table",
    "print_traced",
    "print_verdict",
    "progress",
    "say",
    "tell_failures",
    "worded",
]

T = TypeVar("T")


def print_json(data: Any) -> None:
    """JSON on standard output; figures that are not finite have no place in it."""
    print(json.dumps(data, ensure_ascii=False, indent=2, allow_nan=False))


def say(text: str) -> None:
    """A remark on standard error."""
    print(f"earwitness: {text}", file=sys.stderr)


def claim(asked: Path | None) -> Path:
    """The folder of a registry to change; says so when that is a fresh copy of the starter."""
    from earwitness.places import adopt_starter, registry_place

    place = registry_place(asked)
    if place.starter:
        place = adopt_starter()
        say(f"first use: copied the starter registry to {place.folder}")
    return place.folder


def tell_failures(failed: int, total: int, first: str | None) -> None:
    """Say how many clips failed; exit 2 when none was left."""
    if failed:
        say(f"{failed} of {total} failed; first: {first}")
    if failed == total:
        raise Exit(2)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Columns of text, as wide as they need."""
    texts = [list(columns), *([_cell(cell) for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in texts) for i in range(len(columns))]
    for row in texts:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _cell(value: object) -> str:
    """What a table shows of a value: nothing of None, and of several one after the other."""
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def print_verdict(verdict: "Verdict") -> None:
    """One verdict as a person reads it."""
    print(f"{verdict.clip}  ({verdict.task})")
    print(f"  {_headline(verdict)}")
    if verdict.log10_lr is not None:
        print(f"  likelihood ratio known : unknown = 10^{verdict.log10_lr:.1f} ({worded(verdict.support)})")
    if verdict.ranking:
        print(
            "  ranking   "
            + "   ".join(_rank(rank.source, rank.probability, rank.similarity) for rank in verdict.ranking)
        )
    for reference in verdict.evidence:
        print(f"  nearest   {reference.source}: {reference.clip} (cosine {reference.similarity:.3f})")
    if verdict.experts:
        print("  experts   " + "   ".join(map(str, verdict.experts)))
    for segment in verdict.segments:
        print(f"  {segment.start:7.2f} s to {segment.end:7.2f} s   {segment.source or 'unknown'}")
    for trace in verdict.traces:
        print(f"  trace     {trace}")
    if verdict.suspects:
        print(f"  suspects  {', '.join(verdict.suspects)} (their cards name this lattice)")
    for warning in verdict.warnings:
        print(f"  note      {warning}")


def print_traced(clip: "Traced") -> None:
    """The traces of one clip as a person reads them."""
    from earwitness.tracing import NOTHING

    print(clip.clip)
    if clip.error:
        print(f"  error: {clip.error}")
    elif not clip.traces:
        print(f"  {NOTHING}")
    for trace in clip.traces:
        print(f"  {trace}")
    for warning in clip.warnings:
        print(f"  note      {warning}")


def worded(support: str | None) -> str:
    """The verbal band of a likelihood ratio as a phrase: 'strong support', 'weak support against', 'no support'."""
    band, against, _ = (support or "").partition(" against")
    return f"{band.removesuffix(' support')} support{against}"


def _headline(verdict: "Verdict") -> str:
    match verdict.verdict:
        case "known":
            return f"{_named(verdict)}: probability {verdict.probability:.2f}"
        case "unknown":
            kin = verdict.kin and f", but {verdict.kin}"
            return f"unknown: none of the enrolled sources{kin} (probability {verdict.unknown_probability:.2f})"
        case "abstain":
            return "no answer"
        case "error":
            return f"error: {verdict.error}"


def _named(verdict: "Verdict") -> str:
    """The source of a known clip, or all its siblings with the group that they share."""
    *others, last = verdict.siblings or (verdict.source,)
    kin = verdict.kin and f", {verdict.kin}"
    return f"{', '.join(map(str, others))} or {last} (nothing tells them apart){kin}" if others else str(last)


def _rank(source: str, probability: float | None, similarity: float) -> str:
    return f"{source} {similarity:.2f}" if probability is None else f"{source} {probability:.2f}"


def progress(steps: Iterable[T], total: int | None, what: str) -> Iterator[T]:
    """Pass steps on under a progress bar with the time left; silent where standard error is no terminal.

    `total` None = nobody knows how many there are.
    """
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    yield from track(steps, description=what, total=total, console=console, disable=not console.is_terminal)
