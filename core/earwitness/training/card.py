"""The card of a model: what it was made of and how good it was found, for people."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from earwitness.manifest import Manifest
from earwitness.pipeline import Pipeline

__all__ = ["Lesson", "write_card"]

LIBRARIES = ("earwitness", "numpy", "torch", "speechbrain", "onnxscript", "onnxruntime", "soxr")
LISTED = 100
"""Sources that are named one by one."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """What was learned from, and how well: clips by source in `train` and `dev`, macro-F1 on dev, time in seconds.

    `judged` says what answered on dev, as in "by the head it learned under"; `start` what it began with.
    """

    train: Mapping[str, int]
    dev: Mapping[str, int]
    seed: int
    device: str
    figure: float
    judged: str
    seconds: float
    start: str | None = None


def write_card(file: Path, pipeline: Pipeline, manifest: Manifest, lesson: Lesson | None) -> None:
    """Write the card; `lesson` None = there was nothing to learn."""
    learned = _learned(manifest, lesson) if lesson else "Its embedder has nothing to learn: no clips went into it.\n"
    file.write_text(f"# {pipeline.name}\n\n{learned}\n## Recipe\n\n```yaml\n{pipeline.to_yaml()}```\n", "utf-8")


def _learned(manifest: Manifest, lesson: Lesson) -> str:
    digest = hashlib.sha256(manifest.path.read_bytes()).hexdigest()
    versions = "".join(f"- {name} {version(name)}\n" for name in LIBRARIES)
    begun = f"Begun with the weights of {lesson.start}.\n" if lesson.start else ""
    return (
        f"Macro-F1 on dev, {lesson.judged}, over clean and degraded clips: **{lesson.figure:.3f}**.\n"
        f"Seed {lesson.seed}, on {lesson.device}, {lesson.seconds:.0f} s.\n{begun}\n"
        f"## Data\n\n{manifest.path.name}, SHA-256 {digest}.\n\n"
        f"| source | clips in train | clips in dev |\n| --- | --- | --- |\n{_counted(lesson)}\n"
        f"## Libraries\n\n{versions}"
    )


def _counted(lesson: Lesson) -> str:
    """A line a source, or one for all of them where nobody would read as many."""
    if len(lesson.train) > LISTED:
        return f"| {len(lesson.train)} sources | {sum(lesson.train.values())} | {sum(lesson.dev.values())} |\n"
    return "".join(f"| {source} | {clips} | {lesson.dev[source]} |\n" for source, clips in lesson.train.items())
