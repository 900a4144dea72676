"""Speed of `screen`: clips a second and x real time for one worker and several, and where one process spends it.

    python benchmarks/screening.py REGISTRY PATH... [--workers 1,2] [--limit 400]

x real time = seconds of audio per second of the clock. Runs include the start of the workers. The split is taken by
stopwatches around the stages of one engine in this process, after a warm-up; 'rest' is cutting into windows and
bookkeeping. Run with OMP_NUM_THREADS=1 on an idle machine.
"""

import argparse
import json
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from earwitness import listening
from earwitness.audio import AudioStream, Resampler, find_clips, open_audio
from earwitness.deciding import Judge
from earwitness.engine import open_engine
from earwitness.model import Model
from earwitness.screening import screen
from earwitness.stretches import Stretches

SECONDS: defaultdict[str, float] = defaultdict(float)


def timed(stage: str, work: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, its time booked to a stage."""

    def run(*args: Any, **options: Any) -> Any:
        begin = time.perf_counter()
        try:
            return work(*args, **options)
        finally:
            SECONDS[stage] += time.perf_counter() - begin

    return run


def timed_blocks(stream: AudioStream, plain: Callable[[AudioStream], Iterator[Any]] = AudioStream.blocks) -> Any:
    """Blocks of audio, the time to make each booked to decoding."""
    step = timed("decoding, digests", lambda blocks: next(blocks, None))
    blocks = plain(stream)
    while (block := step(blocks)) is not None:
        yield block


def watch_stages() -> None:
    """Put a stopwatch on every stage of the engine."""
    patches: list[tuple[Any, str, Any]] = [
        (AudioStream, "blocks", timed_blocks),
        (listening, "open_audio", timed("decoding, digests", open_audio)),
        (Resampler, "hear", timed("resampling", Resampler.hear)),
        (Stretches, "hear", timed("tracers", Stretches.hear)),
        (Stretches, "finish", timed("tracers", Stretches.finish)),
        (Model, "features", timed("frontend", Model.features)),
        (Model, "embed", timed("network", Model.embed)),
        (Judge, "judge", timed("index, scorer, calibration", Judge.judge)),
    ]
    for owner, name, watched in patches:
        setattr(owner, name, watched)


def print_split(registry: Path, clips: list[str]) -> None:
    """The share of each stage in one process."""
    watch_stages()
    with open_engine(registry) as engine:
        list(engine.identify_many(clips[:16]))
        SECONDS.clear()
        begin = time.perf_counter()
        verdicts = list(engine.identify_many(clips))
        total = time.perf_counter() - begin
        tasks = len(engine.tasks("all"))
    audio = sum(verdict.duration or 0 for verdict in verdicts) / tasks
    print(f"\nOne process, warm: {len(clips) / total:.1f} clips/s, {audio / total:.0f} x real time\n")
    print("| stage | share | ms a clip |\n| --- | --- | --- |")
    for stage, seconds in [
        *sorted(SECONDS.items(), key=lambda item: -item[1]),
        ("rest", total - sum(SECONDS.values())),
    ]:
        print(f"| {stage} | {seconds / total:.1%} | {1000 * seconds / len(clips):.2f} |")


def print_workers(registry: Path, clips: list[str], counts: list[int]) -> None:
    """Whole screenings with different numbers of workers."""
    print("| workers | clips/s | x real time | seconds | efficiency |\n| --- | --- | --- | --- | --- |")
    single = 0.0
    for workers in counts:
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "out.jsonl"
            tally = screen(clips, out, registry=registry, workers=workers)
            durations = {(row := json.loads(line))["clip"]: row["duration"] or 0 for line in out.open()}
        rate, audio = tally.clips / tally.seconds, sum(durations.values())
        single = single or rate / workers
        print(
            f"| {workers} | {rate:.1f} | {audio / tally.seconds:.0f} | {tally.seconds:.1f} "
            f"| {rate / (workers * single):.2f} |"
        )


def main() -> None:
    """Read the arguments and print both tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("registry", type=Path)
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--workers", default="1,2")
    parser.add_argument("--limit", type=int, default=400)
    options = parser.parse_args()
    clips = [os.fspath(clip) for clip in find_clips(options.paths)][: options.limit]
    print_workers(options.registry, clips, [int(count) for count in options.workers.split(",")])
    print_split(options.registry, clips)


if __name__ == "__main__":
    main()
