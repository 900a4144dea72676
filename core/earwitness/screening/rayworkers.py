"""Hearing clips on a Ray cluster: the same chunks as on one machine, given to remote actors.

Every node must see the clips and the registry under the same paths. Ray gives each actor one thread a CPU.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, Self

from earwitness.errors import MissingExtraError, OptionError
from earwitness.network import Device
from earwitness.screening.workers import Answer, Job, Work
from earwitness.types import Task

__all__ = ["RayPool"]


class RayPool:
    """Actors on the cluster of `RAY_ADDRESS`, else of this machine; `size` None = one a CPU of the cluster.

    Raises:
        MissingExtraError: without ray.
        OptionError: on entering, when a node of the cluster can't open the engine.
    """

    def __init__(self, job: Job, tasks: Sequence[Task], size: int | None, device: Device) -> None:
        try:
            import ray
        except ImportError:
            raise MissingExtraError("screening on a cluster", "ray") from None
        self._ray: Any = ray
        self._job, self._tasks, self._asked, self._device = job, tasks, size, device

    def __enter__(self) -> Self:
        self._ray.init(ignore_reinit_error=True, include_dashboard=False, log_to_driver=False)
        resource = "GPU" if self._device == "cuda" else "CPU"
        room = int(self._ray.cluster_resources().get(resource, 1))
        self._size = min(self._asked or room, room)
        self._actors = [self._start() for _ in range(self._size)]
        try:
            self._ray.get([actor.answers.remote([]) for actor in self._actors])
        except self._ray.exceptions.RayError as error:
            self._ray.shutdown()
            raise OptionError(
                f"a node of the Ray cluster can't open the engine ({str(error).strip().splitlines()[-1]}): "
                "each needs earwitness, its plugins, and the registry under the same path"
            ) from error
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ray.shutdown()

    def run(self, clips: Sequence[str]) -> Iterator[Answer]:
        """The answers as they come, chunk by chunk."""
        work, idle = Work(clips, self._tasks, self._size), deque(self._actors)
        running: dict[Any, tuple[Any, deque[str]]] = {}
        while work or running:
            while work and idle:
                actor, chunk = idle.popleft(), work.take()
                running[actor.answers.remote(list(chunk))] = actor, chunk
            [reference], _ = self._ray.wait(list(running), num_returns=1)
            actor, chunk = running.pop(reference)
            try:
                yield from self._ray.get(reference)
            except self._ray.exceptions.RayError as error:
                yield from work.lost(chunk, type(error).__name__)
                actor = self._replace(actor)
            idle.append(actor)

    def _start(self) -> Any:
        gpus = int(self._device == "cuda")
        return self._ray.remote(num_cpus=1, num_gpus=gpus)(_Hearer).remote(self._job)

    def _replace(self, actor: Any) -> Any:
        """A fresh actor for one that died or can't be trusted any more."""
        self._ray.kill(actor)
        self._actors[self._actors.index(actor)] = fresh = self._start()
        return fresh


class _Hearer:
    """The actor: one engine."""

    def __init__(self, job: Job) -> None:
        self._job, self._engine = job, job.open()

    def answers(self, clips: list[str]) -> list[Answer]:
        """The answers to a chunk."""
        return list(self._job.answers(self._engine, clips))
