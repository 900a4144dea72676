"""A change of source is placed more finely when a clip's parts are asked for, and only then."""

import numpy as np
import pytest
import soundfile

from earwitness import engine as engines
from earwitness.audio import read_clip
from earwitness.engine import open_engine
from earwitness.evaluation import calibrate_registry, splicing
from earwitness.listening import Excerpt
from earwitness.manifest import read_manifest
from earwitness.second_look import look_again
from earwitness.types import Mixed

FINE = 0.15
"""Seconds: windows last one, so that those of a second look last a quarter."""


@pytest.fixture
def engine(made, registry_copy, monkeypatch):
    monkeypatch.setattr(splicing, "FALSE_ALARMS", 0.2)
    with open_engine(registry_copy) as engine:
        calibrate_registry(engine, read_manifest(made.manifest).select(split="dev"), 0.05)
        yield engine


@pytest.fixture
def joined(made, tmp_path):
    """Two test clips one after the other in a file, and the second at which the other begins."""
    clips = [read_clip(made.home / f"test-{name}-0.wav") for name in ("alpha", "beta")]
    soundfile.write(tmp_path / "joined.wav", np.concatenate([clip.samples for clip in clips]), clips[0].rate)
    return tmp_path / "joined.wav", clips[0].origin.duration


def windowed(engine):
    return [expert.model for expert in engine.judge("system").experts]


def test_with_segments_a_change_is_placed_finely_and_said_so(engine, joined):
    file, second = joined
    (verdict,) = engine.identify(file, segments=True)
    assert verdict.mixed.at == pytest.approx(second, abs=FINE)
    assert verdict.warnings[0] == str(verdict.mixed)
    assert sum(warning.startswith("mixed") for warning in verdict.warnings) == 1


def test_without_segments_nothing_is_heard_twice(engine, joined, monkeypatch):
    monkeypatch.setattr(engines, "look_again", None)
    assert engine.identify(joined[0])[0].mixed


@pytest.mark.parametrize("off", [-0.6, -0.2, 0.3, 0.7])
def test_it_does_not_hang_on_where_the_first_look_put_it(engine, joined, off):
    file, second = joined
    found = look_again(Mixed(second + off, "alpha", "beta"), Excerpt(file), windowed(engine))
    assert found.at == pytest.approx(second, abs=FINE)
    assert (found.before, found.after) == ("alpha", "beta")


@pytest.mark.parametrize("end", [None, 4.5])
def test_seconds_count_from_the_start_of_an_excerpt(engine, joined, end):
    file, second = joined
    mixed = Mixed(second - 0.8, "alpha", "beta")
    found = look_again(mixed, Excerpt(file, 0.9, end), windowed(engine))
    assert found.at == pytest.approx(second - 0.9, abs=FINE)


def test_where_nothing_is_heard_a_change_stays_as_it_was(engine, tmp_path):
    mixed = Mixed(2.0, "alpha", "beta")
    soundfile.write(tmp_path / "silent.wav", np.zeros(64_000), 16_000)
    assert look_again(mixed, Excerpt(tmp_path / "silent.wav"), windowed(engine)) == mixed
    assert look_again(mixed, Excerpt(tmp_path / "gone.wav"), windowed(engine)) == mixed
    rest = np.concatenate([np.zeros(60_000), np.random.default_rng(0).standard_normal(4000) / 9])
    soundfile.write(tmp_path / "rest.wav", rest, 16_000)
    assert look_again(mixed, Excerpt(tmp_path / "rest.wav"), windowed(engine)) == mixed
