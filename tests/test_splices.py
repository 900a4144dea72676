"""A clip joined of two sources is told as mixed, with the second of the change; of one source it isn't."""

from dataclasses import replace

import pytest

from earwitness.engine import open_engine
from earwitness.evaluation.scoring import hear_all
from earwitness.evaluation.splicing import splice_thresholds
from earwitness.manifest import read_manifest


@pytest.mark.parametrize(("before", "after"), [("alpha", "beta"), ("gamma", "alpha")])
def test_a_change_of_source_is_told_with_its_second(splice_engine, joined, before, after):
    file, second = joined(before, after)
    (verdict,) = splice_engine.identify(file)
    assert (verdict.mixed.before, verdict.mixed.after) == (before, after)
    assert verdict.mixed.at == pytest.approx(second, abs=0.4)  # windows of a second, every half
    assert verdict.warnings[0] == f"mixed: {before} until about {verdict.mixed.at:.1f} s, {after} from there on"
    assert verdict.to_dict()["mixed"] == {"at": verdict.mixed.at, "before": before, "after": after}


@pytest.mark.parametrize("names", [("alpha",), ("alpha", "alpha"), ("beta", "beta")])
def test_one_source_is_no_mixture(splice_engine, joined, names):
    (verdict,) = splice_engine.identify(joined(*names)[0])
    assert verdict.mixed is None
    assert not any(warning.startswith("mixed") for warning in verdict.warnings)


def test_siblings_are_no_mixture(splice_engine, joined):
    data = splice_engine.registry.calibration("system")
    splice_engine.registry.save_calibration("system", {**data, "siblings": [["alpha", "beta"]]})
    assert splice_engine.identify(joined("alpha", "beta")[0])[0].mixed is None
    assert splice_engine.identify(joined("alpha", "gamma")[0])[0].mixed is not None


def test_few_clips_tell_no_mixture(made):
    """Nineteen pairs are needed for one false alarm in twenty."""
    with open_engine(made.registry) as engine:
        judge = engine.judge("system")
        listened = hear_all(engine, "system", read_manifest(made.manifest).select(split="dev"))
        few = replace(listened, counted=listened.counted[:10])
        assert splice_thresholds(judge, few, judge.calibration) == {}
        many = replace(listened, counted=listened.counted * 30)
        assert set(splice_thresholds(judge, many, judge.calibration)) == set(judge.sources)
