"""The stopwatch that the benchmarks share."""

from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter

__all__ = ["interleaved"]


def interleaved(jobs: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each job, taken in turns, after one round to warm up."""
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for name, job in [*jobs.items()] * (rounds + 1):
        began = perf_counter()
        job()
        times[name].append(perf_counter() - began)
    return {name: median(taken[1:]) for name, taken in times.items()}
