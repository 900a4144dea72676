"""Fusion of experts against SciPy's optimum, the formula in loops, and what is promised of the rule."""

import json

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax, logsumexp

from earwitness import fusion as rules
from earwitness.errors import CalibrationError
from earwitness.fusion import EVEN, STRANGER, TRUST_RIDGE, WEIGHT_RIDGE, Fusion, Opinions, even, fit_fusion

EXPERTS, SOURCES = ("good", "fair", "useless"), ("a", "b", "c", "d")
STRENGTH = np.array([3.0, 1.5, 0.0])


def made(clips=300, strangers=100, seed=0):
    """Clips of four sources and of strangers; experts know their source by more, less and nothing."""
    rng = np.random.default_rng(seed)
    labels = np.where(np.arange(clips) < strangers, STRANGER, rng.integers(0, 4, clips))
    values = 5 + 2 * rng.standard_normal((clips, 3, 4))
    known = labels != STRANGER
    values[known, :, labels[known]] += 2 * STRENGTH
    knownness = rng.standard_normal((clips, 3)) + np.outer(known, [0, 2, 0])
    merits = np.column_stack([np.ones(clips), rng.random(clips)])
    return Opinions(values, knownness, merits), labels


def written_out(x, fusion, opinions, labels):
    """The loss of x = (a, u, b) by the formula, clip by clip."""
    a, u, b = x[:6].reshape(3, 2), x[6:9], x[9]
    z = (opinions.values - np.array(fusion.centres)[:, None]) / np.array(fusion.widths)[:, None]
    n = (opinions.knownness - np.array(fusion.middles)) / np.array(fusion.spreads)
    sizes = {k: np.sum(labels == k) for k in (-1, 0, 1, 2, 3)}
    loss = WEIGHT_RIDGE * np.sum((a - [EVEN, 0]) ** 2) + TRUST_RIDGE * (u @ u)
    for clip, label in enumerate(labels):
        logits = [
            sum((a[e] @ opinions.merits[clip]) * z[clip, e, k] + u[e] * n[clip, e] for e in range(3)) + b
            for k in range(4)
        ]
        weight = 0.5 / sizes[label] if label == STRANGER else 0.5 / 4 / sizes[label]
        loss -= weight * log_softmax([*logits, 0.0])[label if label >= 0 else 4]
    return loss


def entries(fusion):
    return np.array([*np.ravel(fusion.weights), *fusion.trust, fusion.offset])


def test_it_is_the_optimum_that_scipy_finds():
    opinions, labels = made(clips=80, strangers=30)
    fusion = fit_fusion(opinions, labels, EXPERTS)
    bounds = [(0, None)] * 9 + [(None, None)]
    best = minimize(written_out, np.full(10, 0.1), (fusion, opinions, labels), method="L-BFGS-B", bounds=bounds)
    assert written_out(entries(fusion), fusion, opinions, labels) == pytest.approx(best.fun, abs=1e-5)


@pytest.fixture
def free(monkeypatch):
    """Weights that development clips alone decide."""
    monkeypatch.setattr(rules, "WEIGHT_RIDGE", 1e-3)


def test_an_expert_of_no_use_weighs_least_and_none_weighs_less_than_nothing():
    opinions, labels = made()
    fusion = fit_fusion(opinions, labels, EXPERTS)
    good, fair, useless = np.sum(fusion.weights, axis=1)
    assert good > fair > useless
    assert entries(fusion)[:9].min() >= 0
    assert fusion.trust[1] > 5 * max(fusion.trust[0], fusion.trust[2])


def test_the_ridge_draws_weights_to_even_ones(monkeypatch):
    opinions, labels = made()
    monkeypatch.setattr(rules, "WEIGHT_RIDGE", 1e3)
    np.testing.assert_allclose(fit_fusion(opinions, labels, EXPERTS).weights, [[EVEN, 0]] * 3, atol=1e-2)


@pytest.mark.usefixtures("free")
def test_left_to_the_clips_a_useless_expert_weighs_next_to_nothing():
    opinions, labels = made()
    good, fair, useless = np.sum(fit_fusion(opinions, labels, EXPERTS).weights, axis=1)
    assert good > fair > 5 * useless


def test_scales_and_offsets_of_an_expert_change_no_answer():
    opinions, labels = made()
    scaled = Opinions(
        opinions.values * np.array([1, 100, 0.01])[:, None] + np.array([0, 7, -3])[:, None],
        opinions.knownness * 10 - 4,
        opinions.merits,
    )
    here, there = (fit_fusion(each, labels, EXPERTS).fuse(each) for each in (opinions, scaled))
    np.testing.assert_allclose(here[0], there[0], atol=1e-6)
    np.testing.assert_allclose(here[1], there[1], atol=1e-6)


def test_logits_and_knownness_are_the_formula():
    opinions, labels = made()
    fusion = fit_fusion(opinions, labels, EXPERTS)
    logits, knownness = fusion.fuse(opinions)
    np.testing.assert_allclose(logits, fusion.shares(opinions).sum(axis=1) + fusion.offset)
    np.testing.assert_allclose(knownness, logsumexp(logits, axis=1))


@pytest.mark.usefixtures("free")
def test_what_is_fused_separates_better_than_its_best_expert():
    opinions, labels = made()
    fresh, truth = made(seed=1)
    fusion = fit_fusion(opinions, labels, EXPERTS)
    known = truth != STRANGER
    fused = (fusion.fuse(fresh)[0].argmax(axis=1) == truth)[known].mean()
    alone = [(fresh.values[:, e].argmax(axis=1) == truth)[known].mean() for e in range(3)]
    assert fused > max(alone)


@pytest.mark.usefixtures("free")
def test_an_expert_is_trusted_more_where_it_is_worth_more():
    """The good expert hears only the clips of the second merit; the others it tells nothing about."""
    opinions, labels = made(clips=600, strangers=200)
    deaf = opinions.merits[:, 1] < 0.5
    values = opinions.values.copy()
    values[deaf, 0] = 5 + 2 * np.random.default_rng(2).standard_normal((deaf.sum(), 4))
    fusion = fit_fusion(Opinions(values, opinions.knownness, opinions.merits), labels, EXPERTS)
    (always, merited), _, _ = fusion.weights
    assert merited > 2 * always


def test_an_expert_that_abstains_says_what_it_says_of_a_stranger_on_average():
    opinions, labels = made()
    fusion = fit_fusion(opinions, labels, EXPERTS)
    silent = Opinions(opinions.values.copy(), opinions.knownness.copy(), opinions.merits)
    silent.values[:, 0], silent.knownness[:, 0] = np.nan, np.nan
    assert not fusion.shares(silent)[:, 0].any()
    assert np.isfinite(fusion.fuse(silent)[1]).all()
    np.testing.assert_allclose(fusion.shares(silent)[:, 1:], fusion.shares(opinions)[:, 1:])


def test_experts_may_abstain_in_development_too():
    opinions, labels = made()
    opinions.values[::3, 0], opinions.knownness[::3, 0] = np.nan, np.nan
    assert np.isfinite(entries(fit_fusion(opinions, labels, EXPERTS))).all()


def test_a_centre_and_width_are_those_of_clips_that_the_sources_did_not_make():
    opinions, labels = made()
    fusion = fit_fusion(opinions, labels, EXPERTS)
    others = [[opinions.values[labels != k, e, k] for k in range(4)] for e in range(3)]
    np.testing.assert_allclose(fusion.centres, [np.mean([v.mean() for v in each]) for each in others])
    np.testing.assert_allclose(fusion.widths, [np.mean([v.std() for v in each]) for each in others])


def test_any_number_of_sources_may_be_asked_about():
    opinions, labels = made()
    fusion = fit_fusion(opinions, labels, EXPERTS)
    fewer = Opinions(opinions.values[:, :, [3, 0]], opinions.knownness, opinions.merits)
    np.testing.assert_allclose(fusion.shares(fewer), fusion.shares(opinions)[:, :, [3, 0]])


def test_a_rule_with_a_centre_and_width_a_source_is_read_as_their_means():
    fusion = fit_fusion(*made(), EXPERTS)
    spread = np.array([-0.5, 0.0, 0.25, 0.25])
    old = fusion.to_dict() | {"sources": list("abcd")}
    old |= {name: (np.array(old[name])[:, None] * (1 + spread)).tolist() for name in ("centres", "widths")}
    np.testing.assert_allclose(Fusion.from_dict(old).centres, fusion.centres)
    np.testing.assert_allclose(Fusion.from_dict(old).widths, fusion.widths)


def test_it_survives_json():
    fusion = fit_fusion(*made(), EXPERTS)
    assert Fusion.from_dict(json.loads(json.dumps(fusion.to_dict()))) == fusion


@pytest.mark.parametrize("kept", [lambda labels: labels >= 0, lambda labels: labels < 0])
def test_it_needs_known_clips_and_strangers(kept):
    opinions, labels = made()
    chosen = kept(labels)
    few = Opinions(opinions.values[chosen], opinions.knownness[chosen], opinions.merits[chosen])
    with pytest.raises(CalibrationError, match="list clips of both"):
        fit_fusion(few, labels[chosen], EXPERTS)


def test_before_any_rule_experts_count_alike_whatever_their_scale():
    opinions, labels = made()
    scaled = opinions.values * np.array([1, 1000, 1e-3])[:, None]
    np.testing.assert_allclose(even(scaled), even(opinions.values), atol=1e-4)
    known = labels != STRANGER
    assert (even(opinions.values).argmax(axis=1) == labels)[known].mean() > 0.75
