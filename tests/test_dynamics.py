"""`dynamics` against its formulas, written out in float64 and one value at a time."""

import numpy as np
import pytest
import scipy.fft
import scipy.signal

from earwitness.errors import OptionError
from earwitness_frontends import Dynamics

RATE = 16000


@pytest.fixture(scope="module")
def sound():
    """(3, n): noise that swells and dies away, through a resonance that wanders."""
    rng = np.random.default_rng(0)
    time = np.arange(RATE) / RATE
    swell = np.exp(3 * np.sin(2 * np.pi * np.array([[2.0], [3.0], [5.0]]) * time))
    noise = scipy.signal.lfilter([1, 0.5], [1, -0.7], rng.standard_normal((3, RATE)))
    return (swell * (noise + 3 * np.sin(2 * np.pi * 600 * time + 40 * np.sin(8 * time)))).astype(np.float32)


def log_energies(samples):
    """(n,) -> (frames, 28): 400 samples every 160, periodic Hamming window, triangles every 3500 / 29 Hz."""
    window = scipy.signal.get_window("hamming", 400)
    frames = [samples[start : start + 400] * window for start in range(0, len(samples) - 399, 160)]
    power = np.abs(np.fft.rfft(np.array(frames, np.float64))) ** 2
    step = 3500 / 29
    triangles = [np.maximum(0, 1 - np.abs(np.arange(201) * 40 - step * (band + 1)) / step) for band in range(28)]
    return np.log(power @ np.array(triangles).T)


def literal(samples):
    """The vector, line by line of the docstring."""
    x = log_energies(samples)
    x = np.maximum(x, x.max() - 14)
    loudness = x.mean(axis=1)
    x = x[loudness > np.sort(loudness)[round(0.3 * len(x)) - 1]]
    c = scipy.fft.dct(x, norm="ortho", axis=1)
    d = x[1:] - x[:-1]
    e = np.abs(c[1:] - c[:-1])
    r = np.array([[row[m] - row[m - 2 : m + 3].mean() for m in range(2, 26)] for row in x])
    parts = [x.mean(0) - x.mean(), x.std(0)]
    parts += [np.percentile(x, q, axis=0, method="nearest") - x.mean() for q in (10, 90)]
    parts += [np.abs(d).mean(0), np.sqrt((d**2).mean(0)), c.std(0), e.mean(0)]
    parts += [np.percentile(e, q, axis=0, method="nearest") for q in (10, 90)]
    for lag in (1, 2, 3, 5):
        parts.append(
            [sum(d[t, m] * d[t - lag, m] for t in range(lag, len(d))) / (d[:, m] ** 2).sum() for m in range(28)]
        )
    for s in (1, 3):
        parts.append(
            [d[:, m] @ d[:, m + s] / np.sqrt((d[:, m] ** 2).sum() * (d[:, m + s] ** 2).sum()) for m in range(28 - s)]
        )
    return np.concatenate([*parts, r.mean(0), r.std(0)])


def test_it_is_its_formulas(sound):
    vectors = Dynamics()(sound, RATE)
    assert vectors.shape == (3, 1, 492)
    assert vectors.dtype == np.float32
    expected = np.array([literal(samples) for samples in sound])
    np.testing.assert_allclose(vectors[:, 0], expected, atol=2e-4, rtol=1e-3)
    assert expected.std(axis=0).min() > 0


def test_each_window_stands_alone(sound):
    together = Dynamics()(sound, RATE)
    alone = np.concatenate([Dynamics()(window[None], RATE) for window in sound])
    np.testing.assert_array_equal(together, alone)


def test_level_and_a_soft_equaliser_leave_the_dynamics_alone(sound):
    """Only the centred mean and the percentiles, the first 28 and the 56 after the deviation, hear a filter."""
    filtered = scipy.signal.lfilter([1, 0.4], [1], 7 * sound).astype(np.float32)
    before, after = Dynamics()(sound, RATE)[:, 0], Dynamics()(filtered, RATE)[:, 0]
    moved = np.abs(before - after)
    assert moved[:, np.r_[0:28, 56:112]].max() > 0.1
    assert np.median(moved[:, 112:444]) < 0.02
    np.testing.assert_allclose(Dynamics()(7 * sound, RATE), Dynamics()(sound, RATE), atol=2e-4)


def test_what_lies_above_the_telephone_changes_nothing(sound):
    hiss = scipy.signal.sosfilt(scipy.signal.butter(12, 5000, "high", fs=RATE, output="sos"), sound, axis=1)
    np.testing.assert_allclose(Dynamics()(sound + hiss.astype(np.float32), RATE), Dynamics()(sound, RATE), atol=0.02)


DEGENERATE = {
    "silence": np.zeros(RATE),
    "constant": np.ones(RATE),
    "tone": np.sin(0.3 * np.arange(RATE)),
    "click": np.eye(1, RATE, 5000)[0],
    "square": np.sign(np.sin(0.05 * np.arange(RATE))),
    "loud": np.full(RATE, 1e4) * np.cos(np.arange(RATE)),
    "one frame": np.ones(400),
    "less than a frame": np.ones(10),
}


@pytest.mark.parametrize("samples", DEGENERATE.values(), ids=DEGENERATE)
def test_any_sound_gives_finite_numbers_of_their_size(samples):
    vector = Dynamics()(samples[None].astype(np.float32), RATE)
    assert vector.shape == (1, 1, 492)
    assert np.abs(vector).max() < 100


def test_correlations_are_bounded(sound):
    correlations = Dynamics()(sound, RATE)[:, 0, 280 : 280 + 4 * 28 + 27 + 25]
    assert np.abs(correlations).max() <= 1 + 1e-5


def test_another_rate_hears_the_same_band(sound):
    """The same sound at 32 kHz: the same frames and bands, so nearly the same vector."""
    higher = scipy.signal.resample(sound, 2 * RATE, axis=1).astype(np.float32)
    difference = np.abs(Dynamics()(higher, 2 * RATE) - Dynamics()(sound, RATE))
    assert np.median(difference) < 0.02


def test_parameters_shape_the_vector(sound):
    short = Dynamics(bands=20, lags=(1,), spacings=(2,))
    assert short(sound, RATE).shape == (3, 1, 10 * 20 + 20 + 18 + 2 * 16)
    assert np.abs(Dynamics(drop=0.0)(sound, RATE) - Dynamics()(sound, RATE)).max() > 0.1


def test_bands_must_fit_the_rate(sound):
    with pytest.raises(OptionError, match="within 0 to 3000 Hz"):
        Dynamics()(sound, 6000)
