"""Sentences in ten languages, each with the split that it belongs to."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml

from earwitness.manifest import Split

__all__ = ["SPLITS", "Sentence", "load_sentences"]

SPLITS: tuple[Split, ...] = ("train", "train", "train", "dev", "test")
"""The splits of five sentences in a row."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence to speak: its `id`, as en-04, its language as two letters, and the split of its clips."""

    id: str
    language: str
    split: Split
    text: str


@cache
def load_sentences() -> Mapping[str, tuple[Sentence, ...]]:
    """The built-in sentences by language.

    A sentence is of one split wherever it is spoken, so that corpora of several systems, put together, keep their
    splits disjoint in text.
    """
    lists = yaml.safe_load((files("earwitness.speaking") / "sentences.yaml").read_text("utf-8"))
    return {
        language: tuple(
            Sentence(f"{language}-{k + 1:02}", language, SPLITS[k % len(SPLITS)], text) for k, text in enumerate(texts)
        )
        for language, texts in lists.items()
    }
