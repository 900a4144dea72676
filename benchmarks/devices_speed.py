"""The two questions side by side: how fast a registry says which system spoke clips, and which device recorded them.

    python benchmarks/devices_speed.py CLIP... [--registry STARTER] [--rounds 5]

Medians of interleaved rounds over all clips, decoding included, one thread of one process.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Literal, get_args

import soundfile
import typer
from stopwatch import interleaved

import earwitness
from earwitness.engine import Engine

Asked = Literal["system", "device", "all"]


def ask(engine: Engine, clips: Sequence[Path], task: Asked) -> None:
    """Answer one question, or both in one decode, of every clip."""
    list(engine.identify_many(clips, task))


def main(
    clips: Annotated[list[Path], typer.Argument(help="Recordings that soundfile can read the length of.")],
    registry: Annotated[Path | None, typer.Option(help="A registry with both tasks; default the starter.")] = None,
    rounds: Annotated[int, typer.Option(help="Rounds; the median counts.")] = 5,
) -> None:
    """Print seconds of sound answered in a second."""
    sound = sum(soundfile.info(clip).duration for clip in clips)
    with earwitness.open(registry) as engine:
        jobs = {task: partial(ask, engine, clips, task) for task in get_args(Asked)}
        seconds = interleaved(jobs, rounds)
    print("| question | x real time |\n|---|---|")
    for task, taken in seconds.items():
        print(f"| {task} | {sound / taken:.0f} |")


if __name__ == "__main__":
    typer.run(main)
