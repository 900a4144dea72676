"""Hearing clips in many processes, none of which can take the run down with it.

A worker owns one engine and one thread (one process a core beats threads: ONNX Runtime's fell to a quarter of
their speed under contention) and takes clips by chunks, so that the network is batched. Each speaks over a pipe
of its own: a worker that dies is an end of file here, and a parent that dies is an end of file there.
"""

import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Protocol, Self

from earwitness import __version__
from earwitness.audio import printable
from earwitness.engine import Asked, Engine
from earwitness.errors import OptionError
from earwitness.screening.sinks import Row
from earwitness.types import Task, Verdict

__all__ = ["Answer", "Job", "LocalPool", "Pool", "Work"]

Answer = tuple[str, list[Row]]
"""A clip's path and its rows, one a task."""

CHUNK = 16
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
READY = None  # a worker's first message: its engine is open


@dataclass(frozen=True, slots=True)
class Job:
    """What every worker does: `open` an engine and ask it a task. Sent to other processes, so it must pickle."""

    open: Callable[[], Engine]
    asked: Asked

    def answers(self, engine: Engine, clips: Sequence[str]) -> Iterator[Answer]:
        """The clips' answers, in their order."""
        verdicts = iter(engine.identify_many(clips, self.asked))
        tasks = len(engine.tasks(self.asked))
        for clip in clips:
            yield clip, [verdict.to_dict() for verdict in islice(verdicts, tasks)]


class Work:
    """The clips still to be heard. Clips that went down with a worker come back to be tried one by one."""

    def __init__(self, clips: Iterable[str], tasks: Sequence[Task], workers: int) -> None:
        self._fresh, self._suspects = deque(clips), deque[str]()
        self._tried: set[str] = set()
        self._tasks, self._workers = tasks, workers

    def __bool__(self) -> bool:
        return bool(self._fresh or self._suspects)

    def take(self) -> deque[str]:
        """The next chunk; smaller towards the end, so that all workers end together."""
        if self._suspects:
            return deque([self._suspects.popleft()])
        size = min(CHUNK, 1 + len(self._fresh) // (2 * self._workers))
        return deque(self._fresh.popleft() for _ in range(min(size, len(self._fresh))))

    def lost(self, chunk: Iterable[str], cause: str) -> Iterator[Answer]:
        """A worker died over these clips: each gets one try alone, and one that fails there is an error row."""
        for clip in chunk:
            if clip in self._tried:
                yield clip, [self._error(clip, task, cause) for task in self._tasks]
            else:
                self._tried.add(clip)
                self._suspects.append(clip)

    @staticmethod
    def _error(clip: str, task: Task, cause: str) -> Row:
        text = f"the process that heard this clip died twice ({cause}): convert the clip to WAV and try again"
        return Verdict(printable(clip), None, task, "error", error=text, engine=__version__).to_dict()


class Pool(AbstractContextManager["Pool"], Protocol):
    """Workers, here or elsewhere."""

    def run(self, clips: Sequence[str]) -> Iterator[Answer]:
        """The answers as they come, in any order."""


class LocalPool:
    """Worker processes on this machine; they start when there is work and stay until the pool closes."""

    def __init__(self, job: Job, tasks: Sequence[Task], size: int) -> None:
        self._job, self._tasks, self._size = job, tasks, size
        self._workers: list[_Worker] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for worker in self._workers:
            worker.process.terminate()
        for worker in self._workers:
            worker.process.join()

    def run(self, clips: Sequence[str]) -> Iterator[Answer]:
        """The answers as they come. OptionError when a worker can't even open the engine."""
        work = Work(clips, self._tasks, self._size)
        self._assign(work)
        while busy := [worker for worker in self._workers if worker.chunk]:
            heard = wait([worker.connection for worker in busy])
            for worker in busy:
                if worker.connection in heard:
                    yield from self._collect(worker, work)
            self._assign(work)

    def _assign(self, work: Work) -> None:
        """Give every idle worker a chunk, and start more where there is work for them."""
        self._workers = [worker for worker in self._workers if worker.chunk or worker.process.is_alive()]
        for worker in self._workers:
            if work and not worker.chunk:
                worker.give(work.take())
        while work and len(self._workers) < self._size:
            self._workers.append(_Worker(self._job))
            self._workers[-1].give(work.take())

    def _collect(self, worker: "_Worker", work: Work) -> Iterator[Answer]:
        """One message of a worker: it is ready, it has an answer, or it is dead."""
        try:
            message = worker.connection.recv()
        except (EOFError, OSError):
            lost, worker.chunk = worker.chunk, deque()
            yield from work.lost(lost, worker.cause())
            return
        if message is READY:
            worker.ready = True
        else:
            worker.chunk.popleft()
            yield message


class _Worker:
    """One process, seen from here; `chunk` is what it has yet to answer."""

    def __init__(self, job: Job) -> None:
        context = get_context("spawn")
        self.ready = False
        self.chunk = deque[str]()
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, job), daemon=True)
        with _single_threaded():
            self.process.start()
        theirs.close()

    def give(self, chunk: deque[str]) -> None:
        """Hand over a chunk; a worker that is dead already is noticed when its answer is awaited."""
        self.chunk = chunk
        with suppress(BrokenPipeError):
            self.connection.send(list(chunk))

    def cause(self) -> str:
        """What a dead process died of; OptionError when it never got to hear a clip."""
        self.process.join()
        code = self.process.exitcode or 0
        cause = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        if not self.ready:
            raise OptionError(f"a worker died before its first clip ({cause}): try fewer --workers")
        return cause


def _serve(connection: "Connection[Answer | None, list[str]]", job: Job) -> None:
    """A worker's life."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    with job.open() as engine, suppress(EOFError, BrokenPipeError, ConnectionResetError):
        connection.send(READY)
        while True:
            for answer in job.answers(engine, connection.recv()):
                connection.send(answer)


@contextmanager
def _single_threaded() -> Iterator[None]:
    """Processes started inside run BLAS, OpenMP and FAISS on one thread; they read it when they load, so not later."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value
