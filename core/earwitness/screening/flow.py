"""Screening: find clips, have them heard by workers, write their rows, say how far it is."""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Literal

from earwitness.audio import find_clips
from earwitness.engine import Asked, Engine, open_engine
from earwitness.errors import InputError, OptionError
from earwitness.network import Device
from earwitness.screening.journal import Journal
from earwitness.screening.progress import Progress
from earwitness.screening.rayworkers import RayPool
from earwitness.screening.sinks import Row
from earwitness.screening.workers import Job, LocalPool, Pool
from earwitness.types import Task

__all__ = ["Tally", "screen"]

POLL = 2.0  # seconds between two looks at a watched folder

Opener = Callable[[Path | None, Device], Engine]
FileState = tuple[int, int]  # size in bytes, time of change in ns


@dataclass(frozen=True, slots=True)
class Tally:
    """What one run did: `clips` heard, verdicts by kind (one a clip and task), clips with `errors`, `seconds` taken.

    `skipped` clips had been done by an earlier run.
    """

    clips: int
    known: int
    unknown: int
    abstain: int
    errors: int
    seconds: float
    skipped: int = 0

    def __str__(self) -> str:
        verdicts = f"{self.known} known, {self.unknown} unknown, {self.abstain} abstained, {self.errors} failed"
        skipped = f"; {self.skipped} were done before" if self.skipped else ""
        return (
            f"{self.clips} clips in {self.seconds:.1f} s "
            f"({self.clips / max(self.seconds, 1e-9):.1f} clips/s): {verdicts}{skipped}"
        )


def screen(
    paths: Sequence[str | PathLike[str]],
    out: Path,
    *,
    task: Asked = "all",
    registry: Path | None = None,
    workers: int | None = None,
    engine: Literal["local", "ray"] = "local",
    watch: bool = False,
    resume: bool = False,
    only_unknown: bool = False,
    device: Device = "cpu",
    progress: bool | None = None,
    opener: Opener = open_engine,
) -> Tally:
    """Judge many clips in parallel and write one row a clip and task, in the order in which they get done.

    A bad clip is a row 'error'; so is one that kills the process that hears it, twice. Called from a script,
    it needs the usual `if __name__ == "__main__":`, since workers import the script.

    Args:
        paths: files, folders, globs, `@list.txt`, or `-`.
        out: ends in .jsonl, .csv or .parquet. `OUT.journal` beside it remembers which clips are done (for
            Parquet, `OUT.rows.jsonl` their rows); both are needed to resume and may be deleted after that.
        task: which question to answer.
        registry: folder of the registry, None = the default one.
        workers: processes, None = one a core (Ray: one a CPU of the cluster).
        engine: this machine, or a Ray cluster whose nodes share the file system.
        watch: look every two seconds for new files, each taken once its size and time stay the same between
            two looks; Ctrl-C ends it.
        resume: go on with an earlier run, or begin where there is none. A clip is known by its path as given.
        only_unknown: write only rows with verdict 'unknown'.
        device: where networks run.
        progress: show a bar on standard error; None = if that is a terminal.
        opener: opens the engine in each worker; a function of a module, for it is sent by name.

    Raises:
        InputError: a path matches no audio.
        OptionError: the output can't be written or resumed, or the options don't fit together.
        MissingExtraError: Parquet without pyarrow, or Ray without ray.
        RegistryError: the registry can't be opened.
    """
    began, job = time.perf_counter(), Job(partial(opener, registry, device), task)
    with job.open() as opened:
        tasks = opened.tasks(task)
    rounds, pool = _rounds(paths, watch), _pool(job, tasks, engine, workers, device)
    counts: Counter[str] = Counter()
    with Journal(Path(out), {"task": task, "only_unknown": only_unknown}, resume) as journal:
        try:
            with Progress(progress) as bar, pool:
                for clips in rounds:
                    _screen(clips, pool, journal, only_unknown, counts, bar)
        except KeyboardInterrupt:
            if not watch:
                raise
        journal.finish()
    return Tally(
        clips=counts["clips"],
        known=counts["known"],
        unknown=counts["unknown"],
        abstain=counts["abstain"],
        errors=counts["errors"],
        seconds=time.perf_counter() - began,
        skipped=0 if watch else counts["skipped"],
    )


def _screen(
    clips: Iterable[str], pool: Pool, journal: Journal, only_unknown: bool, counts: Counter[str], bar: Progress
) -> None:
    """One round: what isn't done yet is heard and written."""
    found = dict.fromkeys(clips)
    fresh = [clip for clip in found if clip not in journal.done]
    counts["skipped"] += len(found) - len(fresh)
    bar.expect(len(fresh))
    for clip, rows in pool.run(fresh):
        journal.write(clip, [row for row in rows if not only_unknown or row["verdict"] == "unknown"])
        _count(counts, rows)
        bar.advance(counts["errors"])


def _count(counts: Counter[str], rows: Sequence[Row]) -> None:
    verdicts = [row["verdict"] for row in rows]
    counts.update(verdicts)
    counts.update(clips=1, errors=int("error" in verdicts))


def _pool(job: Job, tasks: Sequence[Task], engine: str, workers: int | None, device: Device) -> Pool:
    if engine == "ray":
        return RayPool(job, tasks, workers, device)
    return LocalPool(job, tasks, workers or len(os.sched_getaffinity(0)))


def _rounds(paths: Sequence[str | PathLike[str]], watch: bool) -> Iterable[list[str]]:
    """The clips to hear, looked for at once; when watching, those that have stopped growing, again and again."""
    if not watch:
        return [[os.fspath(clip) for clip in find_clips(paths)]]
    if "-" in paths:
        raise OptionError("--watch can't go back to a list on standard input: write it to a file and give @FILE")
    return _settled(paths, dict(_sizes(paths)))


def _settled(paths: Sequence[str | PathLike[str]], before: dict[str, FileState]) -> Iterator[list[str]]:
    """Every two seconds the clips that are as they were at the look before."""
    while True:
        time.sleep(POLL)
        now = dict(_sizes(paths))
        yield [clip for clip, state in now.items() if before.get(clip) == state]
        before = now


def _sizes(paths: Sequence[str | PathLike[str]]) -> Iterator[tuple[str, FileState]]:
    """Clips with their state; a folder may still be empty, and a file that just went away is left out."""
    for path in paths:
        try:
            clips = find_clips([path])
        except InputError:
            if not Path(path).is_dir():
                raise
            continue
        for clip in clips:
            with suppress(OSError):
                status = clip.stat()
                yield os.fspath(clip), (status.st_size, status.st_mtime_ns)
