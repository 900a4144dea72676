"""Scorers, and each member of a panel: open-set rules over unit embeddings."""

from dataclasses import replace
from functools import cached_property

import numpy as np

from earwitness.subset import Subset
from earwitness.testing.bench import Learner, agree, expect, expect_finite
from earwitness.testing.made import gallery, odd_vectors
from earwitness.types import FloatArray, Scores, State

__all__ = ["RULES", "ScorerBench"]


class ScorerBench(Learner):
    """A rule with four sources enrolled, of twelve rows down to one, asked about queries near them and far."""

    lively = np.concatenate([gallery((2, 2, 2, 2)).embeddings, np.eye(16, dtype=np.float32)[:4]])
    strange = odd_vectors()

    @cached_property
    def gallery(self) -> Subset:
        """What is enrolled."""
        return gallery((12, 9, 5, 1))

    def fit(self) -> State:
        """What it learns from the enrolled rows."""
        state: State = self.part.fit(self.gallery)
        return state

    def score(self, enrolled: Subset, queries: FloatArray) -> Scores:
        """Its scores by a gallery of its own."""
        scores: Scores = self.part.score(self.part.fit(enrolled), enrolled, queries)
        return scores

    def answer_by(self, state: State, batch: FloatArray) -> FloatArray:
        """(B, d) -> values and knownness, (B, K + 1)."""
        return columns(self.part.score(state, self.gallery, batch))


def columns(scores: Scores) -> FloatArray:
    """Values and knownness side by side, (B, K + 1)."""
    return np.column_stack([scores.values, scores.knownness])


def scores_each_enrolled_source(bench: ScorerBench) -> None:
    """Scores exactly the enrolled sources: float32 values (B, K) and knownness (B,)."""
    queries, enrolled = bench.batch, bench.gallery
    scores = bench.score(enrolled, queries)
    expected = len(queries), len(enrolled.sources)
    expect(scores.values.shape == expected, f"values are of shape {scores.values.shape}, not {expected}")
    expect(scores.knownness.shape == expected[:1], f"knownness is of shape {scores.knownness.shape}")
    kinds = {str(scores.values.dtype), str(scores.knownness.dtype)}
    expect(kinds == {"float32"}, f"values and knownness are {' and '.join(sorted(kinds))}, not float32")


def a_reference_is_most_like_its_own_source(bench: ScorerBench) -> None:
    """Ranks a stored reference's own source first, also one of a single row."""
    enrolled = bench.gallery
    best = bench.score(enrolled, enrolled.embeddings).values.argmax(axis=1)
    wrong = int(np.count_nonzero(best != enrolled.labels))
    expect(wrong == 0, f"{wrong} of {len(best)} references are more like another source")


def surer_of_its_own_than_of_strangers(bench: ScorerBench) -> None:
    """Has a larger knownness for enrolled rows than for strangers, on the whole."""
    own = bench.score(bench.gallery, bench.gallery.embeddings).knownness
    strangers = bench.score(bench.gallery, gallery((1,) * 40, seed=5).embeddings).knownness
    share = float((own[:, None] > strangers[None]).mean())
    expect(share > 0.7, f"a row is surer than a stranger in {share:.0%} of pairs")


def row_order_does_not_matter(bench: ScorerBench) -> None:
    """Does not care in which order rows were enrolled."""
    enrolled = bench.gallery
    order = np.random.default_rng(0).permutation(len(enrolled.labels))
    rows = {name: getattr(enrolled, name)[order] for name in ("embeddings", "labels", "clips", "cells")}
    found, expected = (columns(bench.score(g, bench.batch)) for g in (replace(enrolled, **rows), enrolled))
    agree(found, expected, "with rows in another order")


def works_from_one_row_on(bench: ScorerBench) -> None:
    """Works from one source with one row on, and from sources of one row each."""
    for counts in ((1,), (2,), (1, 1), (1, 30)):
        scores = bench.score(gallery(counts), bench.batch)
        expect_finite(columns(scores), f"sources of {' and '.join(map(str, counts))} rows")


RULES = (
    scores_each_enrolled_source,
    a_reference_is_most_like_its_own_source,
    surer_of_its_own_than_of_strangers,
    row_order_does_not_matter,
    works_from_one_row_on,
)
