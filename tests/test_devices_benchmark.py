"""What benchmarks/devices*.py rest on: cues taken away, joints where they are said to be, clean trials."""

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import welch
from sklearn.metrics import roc_auc_score

sys.path.append(str(Path(__file__).parent.parent / "benchmarks"))

from devices_arms import sides_out, takes_out
from devices_clips import LOUDEST, QUIET, RATE, STEP, Take, equalised, excerpts, frame_levels
from devices_cues import at_eer, rate
from devices_figures import Lines
from devices_methods import gallery, pooled
from devices_splices import FADE, joined

from earwitness.types import Scores


def recording(level, depth, seed=0):
    """Two seconds of noise at a level in dB, then two of bursts that much louder."""
    rng = np.random.default_rng(seed)
    gains = np.repeat([0.0, depth, 0.0, depth], RATE)
    return (rng.standard_normal(4 * RATE) * 10 ** ((level + gains) / 20)).astype(np.float32)


def take(side, device="a", link=False, name="x"):
    return Take(Path(f"{name}_{side}_1.flac"), device, side, f"{device}{side}{name}", link)


@pytest.mark.parametrize("edge", [7000.0, 3400.0])
def test_equalising_leaves_neither_level_nor_depth_nor_band(edge):
    found = [equalised(recording(*each), edge) for each in ((-70.0, 45.0), (-42.0, 24.0))]
    for sound in found:
        levels = np.sort(frame_levels(sound))
        assert np.sqrt(np.square(levels[: len(levels) // 10]).mean()) == pytest.approx(QUIET, rel=0.05)
        assert np.median(levels[len(levels) * 3 // 5 :]) == pytest.approx(LOUDEST, rel=0.05)
    powers = [welch(sound, RATE, nperseg=512) for sound in found]
    above = powers[0][0] > edge + 400
    dither = STEP**2 / 4  # variance of rounding and triangular dither
    for frequencies, density in powers:
        assert density[above].mean() == pytest.approx(dither / frequencies[-1], rel=0.15)


def test_equalising_leaves_no_share_of_exact_zeros_and_no_steps_of_the_converter():
    rng = np.random.default_rng(1)
    noise = rng.standard_normal(2 * RATE).astype(np.float32)
    coarse, fine = np.rint(noise * 2) / 2**15, noise * 2**-14
    shares = [np.mean(equalised(each.astype(np.float32), 7000.0) == 0) for each in (coarse, fine)]
    assert np.mean(coarse == 0) > 0.15
    assert shares[0] == pytest.approx(shares[1], abs=0.02)
    assert np.allclose(equalised(coarse.astype(np.float32), 7000.0) / STEP % 1, 0)


def test_excerpts_follow_on_and_a_short_clip_is_one():
    sound = np.arange(9 * RATE, dtype=np.float32)
    parts = list(excerpts(sound, 4.0))
    assert np.array_equal(np.concatenate(parts), sound[: 8 * RATE])
    assert [len(each) for each in excerpts(sound[: 3 * RATE], 4.0)] == [3 * RATE]


def test_the_other_takes_over_where_a_joint_says():
    one, two = np.full(4 * RATE, 0.1, np.float32), np.full(3 * RATE, 0.3, np.float32)
    plain, at = joined(one, two, "joined")
    assert np.array_equal(plain > 0.2, np.arange(len(plain)) >= round(at * RATE))
    faded, at = joined(one, two, "cross-faded")
    assert len(faded) == len(plain) - round(FADE * RATE)
    assert abs(int(np.argmax(faded > 0.2)) - at * RATE) <= 1
    assert np.abs(np.diff(faded)).max() < 0.2 / (FADE * RATE - 2)
    level, at = joined(one, two, "at equal level")
    assert np.allclose(level, 0.1)
    assert at == 4.0


def test_no_side_is_on_both_sides_of_a_trial():
    direct = [take(side, device) for device in "ab" for side in "SLR"]
    linked = [take("S", "a", link=True), take("S", "a", link=True, name="y"), take("L", "b", link=True)]
    trials = sides_out(direct, linked)
    assert [trial.side for trial in trials] == ["L", "S"]
    assert all({t.side for t in trial.enrolled}.isdisjoint(t.side for t in trial.tested) for trial in trials)
    alone = takes_out(linked)
    assert [trial.tested for trial in alone] == [(linked[0],), (linked[1],)]
    assert [trial.enrolled for trial in alone] == [(linked[1],), (linked[0],)]


def test_figures_are_within_the_world_that_leaves_a_microphone_out():
    rng = np.random.default_rng(2)
    worlds = np.repeat(["", "a", "b"], 40)
    known = np.where(worlds == "", True, rng.random(120) < 0.6)
    far = np.arange(120) < 10
    known[far] = False
    shift = np.where(worlds == "b", 100.0, 0.0)  # another gallery, another scale
    knownness = rng.standard_normal(120) + known + shift
    group = np.array([f"g{n % 12}" for n in range(120)])
    lines = Lines(worlds, group, np.full(120, "S"), known, far, rng.random(120) < 0.7, knownness)
    found = lines.figures(np.arange(120))
    rows = [worlds == each for each in "ab"]
    strangers = [(~known[each]).sum() for each in rows]
    expected = np.average([roc_auc_score(known[each], knownness[each]) for each in rows], weights=strangers)
    assert found["auroc"] == pytest.approx(expected)
    whole = worlds == ""
    assert found["auroc_far"] == pytest.approx(roc_auc_score(known[whole], knownness[whole]))
    assert found["accuracy"] == lines.right[whole & known].mean()
    spread = lines.spread(lines.side == "S")
    assert all(low <= value <= high for value, low, high in spread.values())


def test_a_clip_is_the_mean_of_its_own_windows():
    clips = [np.full((count, 2), count, np.float32) for count in (1, 3, 2)]
    known = gallery(clips, ["b", "a", "b"])
    assert known.sources == ("a", "b")
    assert known.labels.tolist() == [1, 0, 0, 0, 1, 1]
    assert known.clips.tolist() == [0, 1, 1, 1, 2, 2]
    ramp = lambda rows: Scores(np.arange(len(rows))[:, None] * np.ones((1, 2)), rows[:, 0])  # noqa: E731
    scores = pooled(ramp, clips)
    assert scores.values[:, 0].tolist() == [0.0, 2.0, 4.5]
    assert scores.knownness.tolist() == [1.0, 3.0, 2.0]


def test_errors_are_shares_of_pairs_at_the_threshold_of_equal_error():
    rng = np.random.default_rng(3)
    same, other = rng.normal(2, 1, 4000), rng.normal(0, 1, 4000)
    threshold = at_eer(same, other)
    assert np.mean(same < threshold) == pytest.approx(np.mean(other >= threshold), abs=0.002)
    devices = np.array(["a", "a", "b", "c"])
    wrong = np.zeros((4, 4), bool)
    wrong[0, 2] = True
    pairs = np.triu(devices[:, None] != devices, k=1)
    value, low, high = rate(wrong, pairs, devices)
    assert value == pytest.approx(1 / 5)
    assert low <= value <= high
