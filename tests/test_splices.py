"""A clip joined of two sources is told as mixed, with the second of the change; of one source it isn't."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile

from earwitness.audio import read_clip
from earwitness.engine import open_engine
from earwitness.evaluation import calibrate_registry, splicing
from earwitness.evaluation.scoring import hear_all
from earwitness.evaluation.splicing import splice_thresholds
from earwitness.manifest import read_manifest


@pytest.fixture
def engine(made, registry_copy, monkeypatch):
    """The made registry, calibrated so that a fifth of unmixed clips may be taken for mixed: few bear no more."""
    monkeypatch.setattr(splicing, "FALSE_ALARMS", 0.2)
    with open_engine(registry_copy) as engine:
        calibrate_registry(engine, read_manifest(made.manifest).select(split="dev"), 0.05)
        yield engine


def joined(made, tmp_path, *names):
    """Test clips of some systems one after the other, and the second at which the last begins."""
    clips = [read_clip(made.home / f"test-{name}-0.wav") for name in names]
    file = tmp_path / f"{'-'.join(names)}.wav"
    soundfile.write(file, np.concatenate([clip.samples for clip in clips]), clips[0].rate)
    return file, clips[0].origin.duration


@pytest.mark.parametrize(("before", "after"), [("alpha", "beta"), ("gamma", "alpha")])
def test_a_change_of_source_is_told_with_its_second(engine, made, tmp_path, before, after):
    file, second = joined(made, tmp_path, before, after)
    (verdict,) = engine.identify(file)
    assert (verdict.mixed.before, verdict.mixed.after) == (before, after)
    assert verdict.mixed.at == pytest.approx(second, abs=0.4)  # windows of a second, every half
    assert verdict.warnings[0] == f"mixed: {before} until about {verdict.mixed.at:.1f} s, {after} from there on"
    assert verdict.to_dict()["mixed"] == {"at": verdict.mixed.at, "before": before, "after": after}


@pytest.mark.parametrize("names", [("alpha",), ("alpha", "alpha"), ("beta", "beta")])
def test_one_source_is_no_mixture(engine, made, tmp_path, names):
    (verdict,) = engine.identify(joined(made, tmp_path, *names)[0])
    assert verdict.mixed is None
    assert not any(warning.startswith("mixed") for warning in verdict.warnings)


def test_siblings_are_no_mixture(engine, made, tmp_path):
    data = engine.registry.calibration("system")
    engine.registry.save_calibration("system", {**data, "siblings": [["alpha", "beta"]]})
    assert engine.identify(joined(made, tmp_path, "alpha", "beta")[0])[0].mixed is None
    assert engine.identify(joined(made, tmp_path, "alpha", "gamma")[0])[0].mixed is not None


def test_few_clips_tell_no_mixture(made):
    """Nineteen pairs are needed for one false alarm in twenty."""
    with open_engine(made.registry) as engine:
        judge = engine.judge("system")
        listened = hear_all(engine, "system", read_manifest(made.manifest).select(split="dev"))
        few = replace(listened, counted=listened.counted[:10])
        assert splice_thresholds(judge, few, judge.calibration) == {}
        many = replace(listened, counted=listened.counted * 30)
        assert set(splice_thresholds(judge, many, judge.calibration)) == set(judge.sources)
