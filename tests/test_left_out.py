"""The benchmark that leaves each source out: who stays in which split, and what it says of a difference."""

import sys
from pathlib import Path

import pytest

from earwitness.manifest import read_manifest

pytest.importorskip("matplotlib", reason="the page needs the extra report")
sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))

from left_out import lines, without


def test_a_source_left_out_stays_in_the_test_alone(made, tmp_path):
    whole = read_manifest(made.manifest)
    part = without(whole, "alpha", tmp_path / "alpha" / "manifest.csv")
    kept = [(row.path, row.source, row.split) for row in part.rows]
    assert kept == [
        (row.path, row.source, row.split) for row in whole.rows if row.source != "alpha" or row.split == "test"
    ]
    assert {row.split for row in part.rows if row.source == "alpha"} == {"test"}


def test_differences_are_paired_source_by_source():
    """One recipe is better by 0.1 for each source: the difference has no width, though the means' intervals overlap."""
    base = {name: [0.5, 0.7, 0.9] for name in ("auroc", "oscr", "macro_f1_open", "far_realised")}
    better = {name: [value + 0.1 for value in values] for name, values in base.items()}
    mine, other = lines({"mine": base, "other": better}, "mine")
    assert mine[0] == "`mine`"
    assert mine[1].startswith("0.700 [0.5")
    assert mine[-2:] == ["0.000 [0.000 0.000]"] * 2
    assert other[-2:] == ["0.100 [0.100 0.100]"] * 2
