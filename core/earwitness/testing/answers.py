"""Every part that answers: frontends, embedders, scorers, tracers, degradations.

Tracers and degradations take one sound at a time, so that the last rule is not asked of them.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from earwitness.testing.bench import Bench, agree, expect, expect_finite

__all__ = ["ALONE", "RULES"]


def same_answer_twice(bench: Bench) -> None:
    """Gives the same answer when asked again, whatever it was asked in between."""
    first = bench.answer(bench.batch).copy()
    bench.answer(bench.companions)
    expect(np.array_equal(first, bench.answer(bench.batch), equal_nan=True), "the second answer is another one")


def same_answer_from_threads(bench: Bench) -> None:
    """Gives the same answers from four threads at once as from one."""
    rows = [bench.batch[i : i + 1] for i in range(len(bench.batch))]
    one = [bench.answer(row).copy() for row in rows]
    with ThreadPoolExecutor(4) as pool:
        four = list(pool.map(bench.answer, rows * 4))
    for found, expected in zip(four, one * 4, strict=True):
        expect(np.array_equal(found, expected, equal_nan=True), "threads that ask at once get other answers")


def finite_for_odd_input(bench: Bench) -> None:
    """Gives finite figures for silence, a click, full scale, a constant, a single sample: whatever comes."""
    for name, row in bench.odd.items():
        expect_finite(bench.answer(row), name)


def leaves_its_input_alone(bench: Bench) -> None:
    """Does not write to its input."""
    for batch in (bench.batch, bench.companions):
        given = batch.copy()
        bench.answer(given)
        expect(np.array_equal(given, batch), "its input is another afterwards")


def each_row_on_its_own(bench: Bench) -> None:
    """Answers each row of a batch as if it had come alone, in any order and beside anything."""
    count, mixed = len(bench.batch), np.concatenate([bench.batch, bench.companions])
    alone = np.concatenate([bench.answer(bench.batch[i : i + 1]) for i in range(count)])
    agree(bench.answer(mixed)[:count], alone, "in a batch")
    agree(bench.answer(bench.batch[::-1])[::-1], alone, "in another order")


ALONE = (same_answer_twice, same_answer_from_threads, finite_for_odd_input, leaves_its_input_alone)
"""For what takes one thing at a time."""

RULES = (*ALONE, each_row_on_its_own)
