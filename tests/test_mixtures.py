"""Mixtures, supervectors and total variability against scikit-learn and formulas in float64, one value at a time."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp
from scipy.stats import norm
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from earwitness import mixture as mixtures
from earwitness.errors import OptionError
from earwitness.mixture import Mixture, fit_mixture, thinned
from earwitness_frontends import Gsv, Ivector
from earwitness_frontends._variability import Totals, Variability, fit_variability, precision

FREE = np.zeros(3)
"""No least variance."""


def blobs(count=300, seed=0, dims=3):
    """Frames (N, dims) about three middles, of unlike scatter."""
    rng = np.random.default_rng(seed)
    own = rng.integers(3, size=count)
    frames = 3 * rng.standard_normal((3, dims))[own] + np.array([0.5, 1.0, 2.0])[own, None] * rng.standard_normal(
        (count, dims)
    )
    return frames.astype(np.float32)


def start(frames, components=3, seed=0):
    rng = np.random.default_rng(seed)
    means = frames[rng.choice(len(frames), components, replace=False)].astype(float)
    return Mixture(rng.dirichlet(np.full(components, 5.0)), means, rng.uniform(0.5, 3.0, means.shape))


def log_likelihoods(mixture, frames):
    return logsumexp(mixture.log_joint(frames.astype(float)), axis=1)


@pytest.mark.parametrize("steps", [1, 2, 10])
def test_em_is_scikit_learn_s_from_the_same_start(steps, monkeypatch):
    monkeypatch.setattr(mixtures, "BLOCK", 64)
    frames, mixture = blobs(), start(blobs())
    theirs = GaussianMixture(
        3, covariance_type="diag", tol=0, reg_covar=0, max_iter=steps, init_params="random", random_state=0,
        weights_init=mixture.weights, means_init=mixture.means, precisions_init=1 / mixture.variances,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        theirs.fit(frames.astype(float))
    for _ in range(steps):
        mixture = mixture.improved(mixture.statistics(frames), FREE)
    np.testing.assert_allclose(log_likelihoods(mixture, frames), theirs.score_samples(frames.astype(float)), rtol=1e-9)
    np.testing.assert_allclose(mixture.variances, theirs.covariances_, rtol=1e-9)
    assert mixture.statistics(frames).log_likelihood == pytest.approx(
        theirs.score(frames.astype(float)) * len(frames), rel=1e-9
    )


def test_log_joint_is_scipy_s_normal_density():
    frames, mixture = blobs(20).astype(float), start(blobs())
    densities = norm.logpdf(frames[:, None], mixture.means, np.sqrt(mixture.variances)).sum(axis=2)
    np.testing.assert_allclose(mixture.log_joint(frames), np.log(mixture.weights) + densities, rtol=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(6, 80), st.sampled_from([0.0, 0.5]))
def test_log_likelihood_never_falls(seed, components, count, least):
    frames = blobs(count, seed)
    mixture = start(frames, components, seed)
    floor = np.full(3, max(least, 1e-3))
    found = []
    for _ in range(8):
        statistics = mixture.statistics(frames)
        found.append(statistics.log_likelihood)
        mixture = mixture.improved(statistics, floor)
    assert (np.diff(found) >= -1e-8 * np.abs(found[:-1])).all()


def test_a_mixture_finds_what_is_there():
    rng = np.random.default_rng(0)
    middles = np.array([[0.0, 100.0], [5.0, 100.0], [0.0, 300.0]])  # of scales far apart
    frames = np.concatenate(
        [middle + [0.5, 10.0] * rng.standard_normal((n, 2)) for middle, n in zip(middles, (100, 200, 700), strict=True)]
    )
    mixture = fit_mixture(frames.astype(np.float32), 3, 10)
    order = np.lexsort([mixture.means[:, 0], mixture.means[:, 1] > 200])
    np.testing.assert_allclose(mixture.means[order], middles, atol=2.0)
    np.testing.assert_allclose(mixture.weights[order], [0.1, 0.2, 0.7], atol=0.01)
    np.testing.assert_allclose(np.sqrt(mixture.variances[order]), np.tile([0.5, 10.0], (3, 1)), rtol=0.2)


def test_k_means_starts_better_than_chance():
    frames = blobs(2000)
    assert fit_mixture(frames, 3, 0).statistics(frames).log_likelihood > start(frames).statistics(frames).log_likelihood


@pytest.mark.parametrize("frames", [np.zeros((1, 3)), np.ones((50, 3)), np.eye(3) * 1e4])
def test_fewer_frames_than_components_make_a_mixture_too(frames):
    mixture = fit_mixture(frames.astype(np.float32), 8, 5)
    assert np.isfinite(log_likelihoods(mixture, frames)).all()
    assert mixture.weights.sum() == pytest.approx(1.0)


def test_frames_are_thinned_evenly(monkeypatch):
    clips = [np.arange(40, dtype=np.float32).reshape(2, 10, 2), 100 + np.arange(20, dtype=np.float32).reshape(1, 10, 2)]
    np.testing.assert_array_equal(thinned(clips), np.concatenate([clip.reshape(-1, 2) for clip in clips]))
    monkeypatch.setattr(mixtures, "MOST_FRAMES", 10)
    np.testing.assert_array_equal(thinned(clips)[:, 0], [*range(0, 40, 6), *range(100, 120, 6)])


@pytest.mark.parametrize("part", [Gsv(components=0), Gsv(relevance=0.0), Ivector(components=0), Ivector(factors=0)])
def test_impossible_parameters_are_an_option_error(part):
    with pytest.raises(OptionError, match=r"ask for 1 or more|above 0"):
        part.fit([part(np.ones((1, 800), np.float32), 16_000)])


def posteriors(mixture, frame):
    """Of one frame, by Bayes."""
    joint = [
        weight * np.prod(norm.pdf(frame, mean, np.sqrt(variance)))
        for weight, mean, variance in zip(mixture.weights, mixture.means, mixture.variances, strict=True)
    ]
    return np.array(joint) / sum(joint)


def test_a_supervector_holds_adapted_means():
    mixture, window = start(blobs()), blobs(40, seed=1)
    expected = []
    for c in range(3):
        own = [posteriors(mixture, x)[c] for x in window.astype(float)]
        mean = sum(g * x for g, x in zip(own, window, strict=True)) / sum(own)
        share = sum(own) / (sum(own) + 7.0)
        expected += [*(share * mean + (1 - share) * mixture.means[c])]
    found = Gsv(components=3, relevance=7.0).features(mixture.state, window[None])
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [[expected]], rtol=1e-5, atol=1e-5)


def test_a_published_supervector_has_2496_values():
    voice = np.random.default_rng(0).standard_normal((2, 16_000)).astype(np.float32)
    part = Gsv()
    frames = part(voice, 16_000)
    assert frames.shape[2] == 39
    state = part.fit([frames])
    assert part.features(state, frames).shape == (2, 1, 2496)
    empty = part.features(state, frames[:, :0])  # nothing heard: the model itself
    np.testing.assert_allclose(empty[0, 0], np.ravel(state["means"]), rtol=1e-6)


def totals(count=25, components=3, dims=4, factors=2, seed=0, frames=200):
    """Windows whose means move along some directions, and these directions (C, dims, R)."""
    rng = np.random.default_rng(seed)
    directions = rng.standard_normal((components, dims, factors))
    counts = rng.uniform(0.2, 1.0, (count, components)) * frames
    where = rng.standard_normal((count, factors))
    means = np.einsum("cdr,nr->ncd", directions, where)
    scatter = rng.standard_normal(means.shape) * np.sqrt(counts)[..., None]
    return Totals(counts, counts[..., None] * means + scatter), directions


def literal_posterior(counts, sums, directions):
    """Mean and covariance of w of one window, by supervectors and a matrix of all counts."""
    loading = np.concatenate(list(directions))  # (C dims, R)
    repeated = np.diag(np.repeat(counts, directions.shape[1]))
    covariance = np.linalg.inv(np.eye(loading.shape[1]) + loading.T @ repeated @ loading)
    return covariance @ loading.T @ sums.ravel(), covariance


def test_a_step_of_total_variability_is_its_formulas():
    found, _ = totals()
    before = 0.3 * np.random.default_rng(1).standard_normal((3, 4, 2))
    after, log_likelihood = Variability(before).improved(found)
    moments = [literal_posterior(n, f, before) for n, f in zip(found.counts, found.sums, strict=True)]
    for c in range(3):
        weight = sum(n[c] * (v + np.outer(w, w)) for n, (w, v) in zip(found.counts, moments, strict=True))
        cross = sum(np.outer(f[c], w) for f, (w, _) in zip(found.sums, moments, strict=True))
        np.testing.assert_allclose(after.directions[c], cross @ np.linalg.inv(weight), rtol=1e-6)
    expected = sum((w @ np.linalg.inv(v) @ w + np.linalg.slogdet(v)[1]) / 2 for w, v in moments)
    assert log_likelihood == pytest.approx(expected, rel=1e-9)


def test_its_likelihood_is_that_of_a_gaussian():
    """Of the means of a window's frames, f / n ~ N(0, T T' + 1 / n): up to what has nothing to do with T."""
    found, truth = totals(4)
    differences = []
    for directions in (truth, 0.1 * truth):
        loading = np.concatenate(list(directions))
        whole = 0.0
        for n, f in zip(found.counts, found.sums, strict=True):
            repeated = np.repeat(n, 4)
            covariance = loading @ loading.T + np.diag(1 / repeated)
            mean = f.ravel() / repeated
            whole -= (mean @ np.linalg.solve(covariance, mean) + np.linalg.slogdet(covariance)[1]) / 2
        differences.append(whole - Variability(directions).improved(found)[1])
    assert differences[0] == pytest.approx(differences[1], rel=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 30), st.integers(1, 5), st.floats(1.0, 500.0))
def test_the_likelihood_of_directions_never_falls(seed, count, factors, frames):
    found, _ = totals(count, seed=seed, frames=frames)
    directions = Variability(np.random.default_rng(seed).standard_normal((3, 4, factors)))
    course = []
    for _ in range(8):
        directions, log_likelihood = directions.improved(found)
        course.append(log_likelihood)
    assert (np.diff(course) >= -1e-7 * (1 + np.abs(course[:-1]))).all()


def test_directions_that_are_there_are_found():
    found, truth = totals(400)
    learned = fit_variability(found, 2, 30).directions
    (a, _), (b, _) = (np.linalg.qr(np.concatenate(list(each))) for each in (learned, truth))
    assert np.linalg.svd(a.T @ b)[1].min() > 0.995  # cosine of the widest angle between the two planes


def test_an_ivector_is_the_posterior_mean():
    part = Ivector(components=3, factors=2, steps=3, turns=3)
    clips = [np.stack([blobs(30, seed=2 * k), blobs(30, seed=2 * k + 1)]) for k in range(6)]
    state = part.fit(clips)
    mixture, window = Mixture.of(state), clips[2][1].astype(float)
    shares = np.array([posteriors(mixture, x) for x in window])
    deviations = np.sqrt(mixture.variances)
    sums = (shares.T @ window - shares.sum(axis=0)[:, None] * mixture.means) / deviations
    directions = state["loading"].astype(float).reshape(3, 3, 2) * deviations[..., None]
    np.testing.assert_allclose(state["products"], directions.transpose(0, 2, 1) @ directions, rtol=1e-4, atol=1e-6)
    expected, _ = literal_posterior(shares.sum(axis=0), sums, directions)
    found = part.features(state, clips[2])
    assert (found.shape, found.dtype) == ((2, 1, 2), np.float32)
    np.testing.assert_allclose(found[1, 0], expected, rtol=1e-4)


def test_precision_of_no_frames_is_the_prior():
    np.testing.assert_array_equal(precision(np.zeros((2, 3)), np.ones((3, 4, 4))), np.stack([np.eye(4)] * 2))
