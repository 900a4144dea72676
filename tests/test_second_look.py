"""A change of source is placed more finely when a clip's parts are asked for, and only then."""

import numpy as np
import pytest
import soundfile

from earwitness import engine as engines
from earwitness.listening import Excerpt
from earwitness.second_look import look_again
from earwitness.types import Mixed

FINE = 0.15
"""Seconds: windows last one, so that those of a second look last a quarter."""


def windowed(engine):
    return [expert.model for expert in engine.judge("system").experts]


def test_with_segments_a_change_is_placed_finely_and_said_so(splice_engine, joined):
    file, second = joined("alpha", "beta")
    (verdict,) = splice_engine.identify(file, segments=True)
    assert verdict.mixed.at == pytest.approx(second, abs=FINE)
    assert verdict.warnings[0] == str(verdict.mixed)
    assert sum(warning.startswith("mixed") for warning in verdict.warnings) == 1


def test_without_segments_nothing_is_heard_twice(splice_engine, joined, monkeypatch):
    monkeypatch.setattr(engines, "look_again", None)
    assert splice_engine.identify(joined("alpha", "beta")[0])[0].mixed


@pytest.mark.parametrize("off", [-0.6, -0.2, 0.3, 0.7])
def test_it_does_not_hang_on_where_the_first_look_put_it(splice_engine, joined, off):
    file, second = joined("alpha", "beta")
    found = look_again(Mixed(second + off, "alpha", "beta"), Excerpt(file), windowed(splice_engine))
    assert found.at == pytest.approx(second, abs=FINE)
    assert (found.before, found.after) == ("alpha", "beta")


@pytest.mark.parametrize("end", [None, 4.5])
def test_seconds_count_from_the_start_of_an_excerpt(splice_engine, joined, end):
    file, second = joined("alpha", "beta")
    mixed = Mixed(second - 0.8, "alpha", "beta")
    found = look_again(mixed, Excerpt(file, 0.9, end), windowed(splice_engine))
    assert found.at == pytest.approx(second - 0.9, abs=FINE)


def test_where_nothing_is_heard_a_change_stays_as_it_was(splice_engine, tmp_path):
    mixed = Mixed(2.0, "alpha", "beta")
    soundfile.write(tmp_path / "silent.wav", np.zeros(64_000), 16_000)
    assert look_again(mixed, Excerpt(tmp_path / "silent.wav"), windowed(splice_engine)) == mixed
    assert look_again(mixed, Excerpt(tmp_path / "gone.wav"), windowed(splice_engine)) == mixed
    rest = np.concatenate([np.zeros(60_000), np.random.default_rng(0).standard_normal(4000) / 9])
    soundfile.write(tmp_path / "rest.wav", rest, 16_000)
    assert look_again(mixed, Excerpt(tmp_path / "rest.wav"), windowed(splice_engine)) == mixed
