"""What each test clip was taken for, a letter a source, so that rows of a table can be compared clip by clip."""

from collections.abc import Container
from functools import cache
from pathlib import Path

import numpy as np

from earwitness.bench.kept import keep_features
from earwitness.engine import open_engine
from earwitness.evaluation.conditions import conditioned
from earwitness.evaluation.intervals import draws
from earwitness.evaluation.metrics import accuracy, macro_f1
from earwitness.evaluation.scoring import score_rows
from earwitness.manifest import Manifest, Row
from earwitness.plugins import load_catalogue
from earwitness.types import FloatArray, IntArray

__all__ = ["METRICS", "Clips", "answers", "clips_of", "drawn_figures"]

FIRST = ord("0")
"""The first source's letter; '-' comes before it."""
DRAWS = 500
METRICS = {"accuracy": accuracy, "macro_f1_known": macro_f1}

Clips = dict[str, str]
"""The true source of each clip, `truth`, a letter each; and the number of its voice, `voices`, by spaces."""


def clips_of(manifest: Manifest) -> Clips:
    """The test clips of sources that are learned."""
    letters = _letters(manifest)
    rows = _tested(manifest, letters)
    voices = {each: str(number) for number, each in enumerate(dict.fromkeys(row.voice for row in rows))}
    truth = "".join(letters[str(row.source)] for row in rows)
    return {"truth": truth, "voices": " ".join(voices[row.voice] for row in rows)}


def answers(out: Path, recipe: str, manifest: Manifest, condition: str) -> str:
    """The source that a registry left by `earwitness bench` in a folder ranks first for each of these clips.

    A clip that can't bear an answer has a '-', which is nobody's letter.
    """
    (registry,) = out.glob(f"work/{recipe}-0-*/registry")
    letters = _letters(manifest)
    rows = _tested(manifest, letters)
    if condition != "clean":
        (folder,) = out.glob(f"work/clips-*/{condition}")
        rows = conditioned(rows, condition, folder, load_catalogue())
    with open_engine(registry) as engine:
        keep_features(engine, out / "work" / "features")
        (task,) = engine.models
        scored = score_rows(engine, task, Manifest(manifest.path, rows))
    best = scored.values.argmax(axis=1)
    found = {row.line: letters[scored.sources[at]] for row, at in zip(scored.rows, best, strict=True)}
    return "".join(found.get(row.line, "-") for row in rows)


@cache
def drawn_figures(metric: str, truth: str, voices: str, said: str) -> FloatArray:
    """A metric over draws of sources and, within them, voices: (DRAWS,), the same draws whatever was said."""
    right, answered = np.array(list(truth)), np.array(list(said))
    return np.array([METRICS[metric](right[rows], answered[rows]) for rows in _draws(truth, voices)])


@cache
def _draws(truth: str, voices: str) -> tuple[IntArray, ...]:
    pairs = [f"{source} {voice}" for source, voice in zip(truth, voices.split(), strict=True)]
    return tuple(draws([list(truth), pairs], count=DRAWS))


def _tested(manifest: Manifest, learned: Container[str | None]) -> tuple[Row, ...]:
    """The test clips of sources that are learned."""
    return tuple(row for row in manifest.select(split="test").rows if row.source in learned)


def _letters(manifest: Manifest) -> dict[str, str]:
    """A letter for each source that is learned."""
    sources = sorted({row.source for row in manifest.select(split="train").rows if row.source})
    return {source: chr(FIRST + number) for number, source in enumerate(sources)}
