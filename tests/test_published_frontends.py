"""Frontends of published methods against librosa, SciPy and formulas in float64."""

import librosa
import numpy as np
import pytest
import scipy.fft
import scipy.signal

from earwitness.errors import OptionError
from earwitness_frontends import AcousticStats, Cqcc, Fingerprint, Mfcc39, Tandem, _constant_q
from earwitness_frontends._constant_q import centres, constant_q

RATE = 16_000
OFFSET = 228.7
Q = (4 ** (1 / 96) + 1) / (4 ** (1 / 96) - 1)


def noise(seconds=1.0, seed=0):
    return np.random.default_rng(seed).standard_normal(round(seconds * RATE)).astype(np.float32)


def tones(*hertz, seconds=1.0):
    time = np.arange(round(seconds * RATE)) / RATE
    return sum(np.sin(2 * np.pi * f * time + f) for f in hertz).astype(np.float32)


def halting(seconds=1.0, seed=0):
    """Noise through a resonance, that swells and pauses."""
    time = np.arange(round(seconds * RATE)) / RATE
    coloured = scipy.signal.lfilter([1, 0.5], [1, -0.7], noise(seconds, seed))
    return (coloured * np.exp(3 * np.sin(2 * np.pi * 3 * time))).astype(np.float32)


def agrees(found, expected, share):
    """To a share of the largest expected magnitude."""
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= share * np.abs(expected).max()


def literal_constant_q(samples, rate, hop, octaves, bins, offset, rows):
    """Atoms laid over the samples one by one, in float64."""
    q = 1 / np.tanh(np.log(2) / bins)
    found = []
    for k in rows:
        centre = rate / 2 * 2 ** (k / bins - octaves)
        length = q * rate / (centre + offset)
        n = np.arange(-int(length / 2), int(length / 2) + 1)
        hann = np.cos(np.pi * n / length) ** 2
        atom = hann * np.exp(-2j * np.pi * centre * n / rate) / hann.sum()
        padded = np.pad(samples.astype(np.float64), -n[0])
        found.append([padded[t : t + len(n)] @ atom for t in range(0, len(samples), hop)])
    return np.array(found)


@pytest.mark.parametrize("offset", [0.0, OFFSET])
@pytest.mark.parametrize("samples", [noise(), tones(130.3, 1234.5, 5000), np.eye(1, RATE, 7000, dtype=np.float32)[0]])
def test_constant_q_is_its_formula(samples, offset):
    rows = [0, 57, 290, 500, 607, 700, 799, 863]
    found = constant_q(samples, RATE, 160, 9, 96, offset)
    assert found.shape == (864, 101)
    agrees(found[rows, :100], literal_constant_q(samples, RATE, 160, 9, 96, offset, rows), 1e-3)


@pytest.mark.parametrize(
    ("rate", "hop", "octaves", "bins"), [(8000, 80, 3, 12), (44_100, 441, 5, 24), (16_000, 7, 2, 4)]
)
def test_constant_q_is_its_formula_on_other_grids(rate, hop, octaves, bins):
    samples, rows = noise(0.3), range(octaves * bins)
    expected = literal_constant_q(samples, rate, hop, octaves, bins, 50.0, rows)
    agrees(constant_q(samples, rate, hop, octaves, bins, 50.0)[:, : expected.shape[1]], expected, 1e-3)


def test_blocks_of_a_long_window_fit_together(monkeypatch):
    whole = constant_q(noise(), RATE, 160, 9, 96, OFFSET)
    monkeypatch.setattr(_constant_q, "BLOCK_FRAMES", 40)
    agrees(constant_q(noise(), RATE, 160, 9, 96, OFFSET), whole, 5e-4)


def test_a_tone_gives_half_its_amplitude_at_its_own_bin():
    tone = 0.8 * tones(centres(RATE, 9, 96)[600])
    magnitude = np.abs(constant_q(tone, RATE, 160, 9, 96, OFFSET))[:, 30:70]
    np.testing.assert_allclose(magnitude[600], 0.4, rtol=1e-3)
    assert (magnitude.argmax(axis=0) == 600).all()


def by_librosa(samples, octaves, bins, offset, rows):
    """Magnitudes at some rows of the same grid; its sparsity off, and its scale taken back."""
    q, f = 1 / np.tanh(np.log(2) / bins), centres(RATE, octaves, bins)[rows]
    grid = {"fmin": f[0], "n_bins": len(f), "bins_per_octave": bins, "gamma": offset / q}
    found = np.abs(librosa.vqt(samples, sr=RATE, hop_length=160, sparsity=0, **grid))
    return found / np.sqrt(q * RATE / (f[:, None] + offset))


@pytest.mark.parametrize("samples", [noise(), tones(6000.5, 6280, 6321)], ids=["noise", "tones"])
def test_constant_q_is_librosa_s(samples):
    """librosa's windows lie half a sample off, of 276 at the top of the grid of `cqcc60`, of some 2,800 here."""
    rows, ends = slice(450, 510), slice(15, -15)  # 6003 to 6326 Hz
    found = np.abs(constant_q(samples, RATE, 160, 1, 768, 0.0))[rows, ends]
    agrees(found, by_librosa(samples, 1, 768, 0.0, rows)[:, ends], 1e-3)


def test_the_grid_of_cqcc_is_librosa_s():
    """As near as half a sample of a window of 276 lets it be."""
    samples, rows, ends = noise(2.0), slice(0, 852), slice(30, -30)
    found = np.abs(constant_q(samples, RATE, 160, 9, 96, OFFSET))[rows, ends]
    agrees(found, by_librosa(samples, 9, 96, OFFSET, rows)[:, ends], np.pi / 2 / 276)


def test_cqcc_is_its_formula():
    samples = halting()
    log_power = np.log(np.maximum(np.abs(constant_q(samples, RATE, 160, 9, 96, OFFSET).astype(complex)) ** 2, 1e-10))
    f = centres(RATE, 9, 96)
    g = np.arange(f[0], f[-1], f[0] * (2 ** (16 / 96) - 1))
    read = np.array([np.interp(g, f, frame) for frame in log_power.T])
    static = scipy.fft.dct(read, norm="ortho")[:, :20]
    delta = librosa.feature.delta(static.T, width=5, mode="nearest").T
    double = librosa.feature.delta(delta.T, width=5, mode="nearest").T
    agrees(Cqcc()(samples[None], RATE)[0], np.hstack([static, delta, double]), 1e-4)


def test_mfcc39_is_librosa_s():
    samples = halting()
    mel = librosa.feature.melspectrogram(
        y=samples, sr=RATE, n_fft=480, hop_length=240, center=False, window="hamming", n_mels=26, htk=True, norm=None
    )
    static = librosa.feature.mfcc(S=np.log(np.maximum(mel, 1e-10)), n_mfcc=13)
    delta = librosa.feature.delta(static, width=5, mode="nearest")
    double = librosa.feature.delta(delta, width=5, mode="nearest")
    agrees(Mfcc39()(samples[None], RATE)[0], np.vstack([static, delta, double]).T, 1e-4)


def test_tandem_is_its_algorithm():
    samples = halting(2.0)
    emphasised = scipy.signal.lfilter([1, -0.97], [1], samples.astype(np.float64))
    frames = np.array([emphasised[240 * t : 240 * t + 480] for t in range(128)]) * scipy.signal.get_window(
        "hamming", 480
    )
    mel = np.abs(np.fft.rfft(frames)) ** 2 @ librosa.filters.mel(sr=RATE, n_fft=480, n_mels=34, htk=True, norm=None).T
    mfcc = scipy.fft.dct(np.log(mel), norm="ortho")[:, 1:13]
    static = np.column_stack([mfcc, np.log((frames**2).sum(axis=1))])
    found = Tandem()(samples[None], RATE)[0]
    assert found.shape == (128, 73)
    agrees(found[:, :13], static, 1e-4)
    delta = librosa.feature.delta(static.T, width=5, mode="nearest")
    double = librosa.feature.delta(delta, width=5, mode="nearest")
    agrees(found[:120, 13:39], np.vstack([delta, double])[:, :120].T, 1e-4)  # the window has more frames than 128
    np.testing.assert_allclose(found[:, 39:], mel / 480, rtol=1e-3, atol=1e-6)


def test_a_short_window_begins_anew_to_fill_its_frames():
    found = Tandem(frames=10)(halting(0.1)[None], RATE)[0]
    own = Tandem(frames=5)(halting(0.1)[None], RATE)[0]
    np.testing.assert_array_equal(found, np.vstack([own, own]))


def test_tandem_bears_half_precision():
    loud = np.eye(1, 64_000, 32_000, dtype=np.float32) * np.float32(64_000**0.5)
    for samples in (loud, np.sqrt(2) * tones(1000.0)[None]):
        assert np.isfinite(Tandem()(samples, RATE).astype(np.float16)).all()


def literal_harmonicity(samples, rate):
    """Boersma's ratio with sums over lags, in float64."""
    length = round(4.5 * rate / 75)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
    frames = [samples[s : s + length].astype(float) for s in range(0, len(samples) - length + 1, rate // 100)]
    frames = [(frame - frame.mean()) * window for frame in frames]
    loudest = max(frame @ frame for frame in frames)
    ratios = []
    for frame in frames:
        if frame @ frame >= loudest * 10**-2.6:
            lags = range(rate // 500 - 1, rate // 75 + 3)
            r = [
                (frame[lag:] @ frame[: length - lag]) / (frame @ frame)
                / ((window[lag:] @ window[: length - lag]) / (window @ window))
                for lag in lags
            ]  # fmt: skip
            at = max(range(1, len(r) - 1), key=lambda i: r[i])
            a, b, c = np.linalg.solve([[1, -1, 1], [0, 0, 1], [1, 1, 1]], r[at - 1 : at + 2])
            top = c - b * b / (4 * a) if a < 0 and abs(b / (2 * a)) <= 0.5 else r[at]
            top = min(max(top, 1e-3), 1 - 1e-3)
            ratios.append(10 * np.log10(top / (1 - top)))
    return np.mean(ratios)


def voiced(pitch, noise_share, seconds=1.0):
    """A harmonic sound with so much noise power to one of harmonics."""
    sound = tones(*(pitch * k for k in range(1, 8)), seconds=seconds)
    return (sound / sound.std() + np.sqrt(noise_share) * noise(seconds)).astype(np.float32)


def test_acoustic_stats_are_librosa_s_and_their_formulas():
    samples = voiced(137.0, 0.05) * (1 + np.sin(2 * np.pi * 2 * np.arange(RATE) / RATE)).astype(np.float32)
    found = AcousticStats()(samples[None], RATE)
    assert found.shape == (1, 1, 23)
    frames = {"n_fft": 400, "hop_length": 160, "center": False}
    mel = librosa.feature.melspectrogram(y=samples, sr=RATE, window="hamming", n_mels=40, htk=True, norm=None, **frames)
    mfcc = librosa.feature.mfcc(S=np.log(mel), n_mfcc=20).mean(axis=1)
    np.testing.assert_allclose(found[0, 0, :20], mfcc, atol=1e-3)
    centroid = librosa.feature.spectral_centroid(y=samples, sr=RATE, window="hann", **frames).mean() / 1000
    assert found[0, 0, 20] == pytest.approx(centroid, rel=1e-4)
    assert found[0, 0, 21] == pytest.approx(librosa.zero_crossings(samples, pad=False).sum() / (RATE - 1), rel=1e-6)
    assert found[0, 0, 22] == pytest.approx(literal_harmonicity(samples, RATE), abs=0.02)


@pytest.mark.parametrize("decibels", [0, 10, 20])
def test_the_ratio_of_harmonics_to_noise_is_the_one_that_was_mixed(decibels):
    samples = voiced(160.0, 10 ** (-decibels / 10), seconds=2.0)
    assert AcousticStats()(samples[None], RATE)[0, 0, 22] == pytest.approx(decibels, abs=1.5)


def test_fingerprint_is_its_formula():
    samples = halting(0.5)
    taps = scipy.signal.firwin(255, 1000, fs=RATE)
    filtered = np.convolve(samples.astype(np.float64), taps, "same")
    window = scipy.signal.get_window("hann", 128)
    levels = [
        np.abs(scipy.signal.stft(each, RATE, window, 128, 126, boundary=None, padded=False)[2]) * window.sum()
        for each in (samples.astype(np.float64), filtered)
    ]
    x, low = (np.log(np.maximum(level, 1e-5)).mean(axis=1) for level in levels)
    found = Fingerprint()(samples[None], RATE)[0, 0]
    np.testing.assert_allclose(found, x - low, atol=2e-3)
    assert np.abs(found[:6]).max() < 0.2 < found[12:].min()  # under 750 Hz all is left, over 1.5 kHz little


@pytest.mark.parametrize(
    "part", [Cqcc(octaves=1, bins=8), Tandem(frames=0), Tandem(coefficients=34), Fingerprint(edge=8000.0)]
)
def test_impossible_parameters_are_an_option_error(part):
    with pytest.raises(OptionError):
        part(noise()[None], RATE)
