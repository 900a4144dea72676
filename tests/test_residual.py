"""`residual` and `band_residual` against SciPy's transform and running mean, and what each hears and doesn't."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.ndimage import uniform_filter1d
from scipy.signal import firwin2, get_window, lfilter, stft

from earwitness.errors import OptionError
from earwitness_frontends import BandResidual, Residual
from earwitness_frontends._smoothing import smooth
from earwitness_frontends._spectrum import log_bands

RATE = 16_000
BINS = np.arange(4, 461)  # 62.5 to 7187.5 Hz in steps of 15.625 Hz
HERTZ = BINS * RATE / 1024


def noise(seconds=4.0, seed=0):
    return np.random.default_rng(seed).standard_normal(round(seconds * RATE)).astype(np.float32)


def halting(seed=0):
    """Noise of 4 s that swells and pauses, so that some frames are voiced, some quiet, some neither."""
    time = np.arange(4 * RATE) / RATE
    return noise(seed=seed) * np.exp(4 * np.sin(2 * np.pi * 1.5 * time)).astype(np.float32)


def filtered(samples, decibels):
    """Through a filter with so many decibels at `HERTZ`."""
    edges = np.r_[0, HERTZ, RATE / 2]
    gains = 10 ** (np.r_[decibels[0], decibels, decibels[-1]] / 20)
    return lfilter(firwin2(8191, edges, gains, fs=RATE), [1], samples).astype(np.float32)


def residuals(samples, **parameters):
    """The three courses of one window, (3, bins)."""
    return Residual(**parameters)(samples[None], RATE)[0, 0].reshape(3, -1).astype(np.float64)


def reference(samples):
    """The docstring, line by line."""
    window = get_window("hann", 1024)
    _, _, spectra = stft(samples.astype(np.float64), RATE, window, 1024, 1024 - 256, boundary=None, padded=False)
    power = np.abs(spectra[BINS].T * window.sum()) ** 2  # (frames, bins)
    energy, x = power.sum(axis=1), np.log(np.maximum(power, 1e-10))
    voiced = x[10 * np.log10(energy / energy.max()) >= -26]
    quiet = x[np.argsort(energy)[: round(0.2 * len(x))]]
    assert len(quiet) < len(x) - len(quiet) < len(x) > len(voiced) > 2
    courses = voiced.mean(axis=0), np.abs(voiced[1:] - voiced[:-1]).mean(axis=0), quiet.mean(axis=0)
    return [c - uniform_filter1d(c, bins, mode="nearest") for c, bins in zip(courses, (15, 31, 31), strict=True)]


@pytest.mark.parametrize("seed", range(3))
def test_it_is_its_formulas(seed):
    samples = halting(seed)
    found = Residual()(samples[None], RATE)
    assert (found.shape, found.dtype) == ((1, 1, 1371), np.float32)
    np.testing.assert_allclose(found[0, 0], np.concatenate(reference(samples)), atol=2e-4)


@pytest.mark.parametrize("bins", [1, 3, 9, 31, 8])
@pytest.mark.parametrize("shape", [(1,), (20,), (3, 5, 40)])
def test_smoothing_is_scipys_running_mean(bins, shape):
    x = np.random.default_rng(0).standard_normal(shape)
    width = bins + 1 - bins % 2
    expected = uniform_filter1d(np.pad(x, [(0, 0)] * (x.ndim - 1) + [(40, 40)], mode="edge"), width, mode="nearest")
    np.testing.assert_allclose(smooth(x, bins), expected[..., 40:-40], atol=1e-12)


def test_band_residual_is_the_bands_less_scipys_running_mean():
    samples = np.stack([halting(0), halting(1)])
    x = log_bands(samples, RATE, "linear", 64, 25.0, 10.0, (0.0, None))
    found = BandResidual()(samples, RATE)
    assert (found.shape, found.dtype) == ((2, 398, 64), np.float32)
    expected = x - uniform_filter1d(x.astype(np.float64), 9, axis=2, mode="nearest")
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_white_noise_leaves_little():
    """Over 247 frames, overlapping by three quarters, a mean of ln |X|^2 wavers by some 0.13."""
    spectrum, unrest, pauses = residuals(noise())
    assert spectrum.std() < 0.2
    assert unrest.std() < 0.2
    assert pauses.std() < 0.4
    assert np.abs([spectrum.mean(), unrest.mean(), pauses.mean()]).max() < 0.02


def test_a_ripple_finer_than_the_running_mean_shows_and_a_formant_does_not():
    """Of a ripple of 2 dB every 5 bins the window leaves two thirds; of a bump of 20 dB, 2 kHz wide, hardly a trace."""
    flat = residuals(noise())[0]
    ripple = 2 * np.cos(2 * np.pi * BINS / 5)
    heard = residuals(filtered(noise(), ripple))[0] - flat
    assert heard @ ripple / (ripple @ ripple) == pytest.approx(2 / 3 * np.log(10) / 10, rel=0.1)
    formant = 20 * np.exp(-(((HERTZ - 2500) / 1000) ** 2))
    assert np.abs(residuals(filtered(noise(), formant))[0] - flat)[20:-20].max() < 0.2


def test_bands_hear_a_narrow_line_and_no_slope():
    slope = BandResidual()(filtered(noise(), np.linspace(0, -20, len(BINS)))[None], RATE)
    flat = BandResidual()(noise()[None], RATE)
    np.testing.assert_allclose(slope.mean(axis=1)[:, 6:-12], flat.mean(axis=1)[:, 6:-12], atol=0.1)
    line = noise() + 10 * np.sin(2 * np.pi * 3000 * np.arange(4 * RATE) / RATE).astype(np.float32)
    assert BandResidual()(line[None], RATE).mean(axis=(0, 1)).argmax() == round(3000 / 8000 * 65) - 1


def test_level_changes_nothing():
    np.testing.assert_allclose(residuals(100 * halting()), residuals(halting()), atol=1e-3)


@pytest.mark.parametrize("part", [Residual(), BandResidual()], ids=lambda part: part.name)
@given(data=st.data())
def test_any_sound_gives_finite_numbers(part, data):
    length = data.draw(st.sampled_from([1, 400, 1023, 1024, 1025, 1300, 3000]))
    finite = st.floats(-1e6, 1e6, width=32)
    samples = data.draw(arrays.arrays(np.float32, (2, length), elements=finite, fill=finite))
    features = part(samples, RATE)
    assert features.dtype == np.float32
    assert np.isfinite(features).all()
    assert np.array_equal(part(samples[1:], RATE)[0], features[1])


@pytest.mark.parametrize("length", [1, 1024, 64_000])
def test_silence_shows_nothing(length):
    np.testing.assert_allclose(residuals(np.zeros(length, np.float32)), 0, atol=1e-6)
    np.testing.assert_allclose(BandResidual()(np.zeros((1, length), np.float32), RATE), 0, atol=1e-5)


def test_parameters_choose_bins_and_frames():
    samples = halting()
    assert residuals(samples, low=1000.0, high=2000.0).shape == (3, 65)
    assert residuals(samples, frame_ms=128.0).shape == (3, 914)
    moved = [np.abs(residuals(samples, **each) - residuals(samples)).max(axis=1) > 1e-3 for each in (
        {"depth": 10.0}, {"quiet": 0.5}, {"hop_ms": 8.0},
    )]  # fmt: skip
    assert [each.tolist() for each in moved] == [[True, True, False], [False, False, True], [True, True, True]]


@pytest.mark.parametrize(
    ("part", "rate"),
    [
        (Residual(), 8000),
        (Residual(high=8001.0), RATE),
        (Residual(low=-1.0), RATE),
        (Residual(low=5000.0, high=4000.0), RATE),
        (Residual(low=101.0, high=105.0), RATE),
        (BandResidual(high=7200.0), 8000),
    ],
)
def test_what_the_sound_has_no_bins_for_is_an_option_error(part, rate):
    with pytest.raises(OptionError, match="within 0 to"):
        part(noise()[None], rate)


def test_half_the_rate_is_the_last_bin():
    assert residuals(noise(), low=0.0, high=8000.0).shape == (3, 513)
