"""Likelihood ratios, by logistic regression here, within the bounds that the clips behind them bear."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["LikelihoodRatio", "empirical_bounds", "fit_likelihood_ratio", "support"]

Array = NDArray[np.float64]

BANDS = ((6, "extremely strong"), (4, "very strong"), (3, "strong"), (2, "moderately strong"), (1, "moderate"))


@dataclass(frozen=True, slots=True)
class LikelihoodRatio:
    """log10 LR, straight from knot to knot, constant beyond them and held within `lowest` and `highest`.

    The knots are `scores` (k,), ascending, and the `log10s` (k,) there, none of which falls.
    """

    scores: tuple[float, ...]
    log10s: tuple[float, ...]
    lowest: float
    highest: float

    @classmethod
    def line(cls, slope: float, intercept: float, lowest: float, highest: float) -> Self:
        """A line, log LR = `slope` score + `intercept` (natural): its knots lie where it meets the bounds (base 10)."""
        if not slope:
            return cls((0.0,), (intercept / math.log(10),), lowest, highest)
        bounds = (lowest, highest)
        return cls(tuple((bound * math.log(10) - intercept) / slope for bound in bounds), bounds, *bounds)

    def log10(self, score: float) -> float:
        """The base-10 logarithm of the likelihood ratio that a score bears."""
        return min(max(float(np.interp(score, self.scores, self.log10s)), self.lowest), self.highest)

    @property
    def even(self) -> float | None:
        """The score that speaks for neither side, LR = 1; None where no score says anything."""
        return float(np.interp(0.0, self.log10s, self.scores)) if len(self.scores) > 1 else None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The ratio that `dataclasses.asdict` laid down; the line of an earlier version, which knew no other."""
        if "slope" in data:
            return cls.line(**data)
        return cls(**{**data, "scores": tuple(data["scores"]), "log10s": tuple(data["log10s"])})


def fit_likelihood_ratio(same: Array, different: Array) -> LikelihoodRatio:
    """A straight line by logistic regression, both classes weighing one half, in damped Newton steps; (n,) and (m,).

    For pairs, which share clips and so show steps that are one clip's doing, and for the one score of LR = 1: a line
    follows no such step (`isotonic.fit_isotonic_ratio` does, and on simulated pairs gains nothing by it).
    The weighted posterior odds are the likelihood ratio (Bruemmer and du Preez 2006). Targets are Platt's,
    (n + 1) / (n + 2) and 1 / (m + 2), so that scores that don't overlap stay finite (Platt 1999). A slope below zero
    would reward being less alike; then the score says nothing, LR = 1. `empirical_bounds` hold the rest.
    """
    scores = np.concatenate([same, different])
    n, m = len(same), len(different)
    weights = np.repeat([0.5 / n, 0.5 / m], [n, m])
    targets = np.repeat([(n + 1) / (n + 2), 1 / (m + 2)], [n, m])
    centre, width = float(scores.mean()), float(scores.std())
    if width <= 1e-12 * max(1.0, abs(centre)):
        return LikelihoodRatio.line(0.0, 0.0, 0.0, 0.0)
    design = np.stack([(scores - centre) / width, np.ones(n + m)], axis=1)  # (n + m, 2)
    slope, intercept = _logistic(design, targets, weights)
    if slope <= 0:
        return LikelihoodRatio.line(0.0, 0.0, 0.0, 0.0)
    slope, intercept = slope / width, intercept - slope * centre / width
    log10 = (slope * scores + intercept) / math.log(10)
    return LikelihoodRatio.line(slope, intercept, *empirical_bounds(log10[:n], log10[n:]))


def empirical_bounds(same: Array, different: Array) -> tuple[float, float]:
    """The lowest and the highest log10 LR that clips bear (ELUB), from their own log10 LRs, (n,) and (m,).

    Whoever decides at LR t, and so holds odds of 1 : t beforehand, errs at a rate proportional to
    miss(t) + t alarm(t), and without the system at min(1, t). Going out from LR = 1, the bounds stand where the
    system first does worse, one misleading LR being added to each side beforehand: a ratio past them rests on
    extrapolation. Source: Vergeer, van Es, de Jongh, Alberink and Stoel, Numerical likelihood ratios outputted by LR
    systems are often based on extrapolation: when to stop extrapolating?, Science and Justice 56, 2016.
    """
    return 0.0 - _upper_bound(-different, -same), _upper_bound(same, different)


def _upper_bound(same: Array, different: Array) -> float:
    """The least log10 t >= 0 at which miss(t) + t alarm(t) > 1; both rates are constant between two LRs."""
    scores = np.concatenate([same, different])
    starts = np.unique(np.append(scores[scores > 0], 0.0))
    hits = len(same) - np.searchsorted(np.sort(same), starts, side="right")
    alarms = len(different) - np.searchsorted(np.sort(different), starts, side="right") + 1
    with np.errstate(divide="ignore"):
        limits = np.log10(hits / (len(same) + 1)) - np.log10(alarms / (len(different) + 1))
    worse = int(np.argmax(limits < np.append(starts[1:], np.inf)))
    return float(max(starts[worse], limits[worse]))


def _logistic(design: Array, targets: Array, weights: Array) -> tuple[float, float]:
    """Slope and intercept of least weighted cross-entropy, design (n, 2), targets and weights (n,)."""

    def loss(beta: Array) -> float:
        logits = design @ beta
        return float(weights @ (np.logaddexp(0.0, logits) - targets * logits))

    beta = np.zeros(2)
    for _ in range(100):
        posterior = 1.0 / (1.0 + np.exp(-np.clip(design @ beta, -500, 500)))
        gradient = design.T @ (weights * (posterior - targets))
        curvature = design.T @ (design * (weights * posterior * (1 - posterior))[:, None])
        step = np.linalg.solve(curvature + 1e-12 * np.eye(2), gradient)
        while loss(beta - step) > loss(beta) and np.abs(step).max() > 1e-12:
            step = step / 2
        beta = beta - step
        if np.abs(step).max() < 1e-10:
            break
    return float(beta[0]), float(beta[1])


def support(log10_lr: float) -> str:
    """The ENFSI verbal band of a likelihood ratio; with ' against' where it speaks for the other proposition.

    Source: ENFSI Guideline for Evaluative Reporting in Forensic Science, 2015.
    """
    size = abs(log10_lr)
    if size < math.log10(2):
        return "no support"
    band = next((name for least, name in BANDS if size >= least), "weak")
    return band if log10_lr > 0 else f"{band} against"
