"""From scores to promises: a threshold, probabilities, p-values and likelihood ratios, set on development clips.

Every figure is bounded by what the counts behind it can bear, and refused where they can bear none.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from earwitness.errors import CalibrationError
from earwitness.fusion import Fusion

__all__ = ["Calibration", "LikelihoodRatio", "PairCalibration", "calibrate", "calibrate_pairs", "support"]

Array = NDArray[np.float64]

FEWEST_PAIRS = 100
BANDS = ((6, "extremely strong"), (4, "very strong"), (3, "strong"), (2, "moderately strong"), (1, "moderate"))


@dataclass(frozen=True, slots=True)
class LikelihoodRatio:
    """log LR = `slope` score + `intercept` (natural), held within `lowest` and `highest` (base 10)."""

    slope: float
    intercept: float
    lowest: float
    highest: float

    def log10(self, score: float) -> float:
        """The base-10 logarithm of the likelihood ratio that a score bears."""
        return min(max((self.slope * score + self.intercept) / math.log(10), self.lowest), self.highest)


@dataclass(frozen=True, slots=True)
class PairCalibration:
    """What a cosine similarity of two clips says of 'one source' against 'two sources'.

    Fitted on `same` and `different` pairs of `clips` development clips.
    """

    ratio: LikelihoodRatio
    same: int
    different: int
    clips: int

    def log10_lr(self, similarity: float) -> float:
        """The base-10 logarithm of the likelihood ratio of 'one source' against 'two sources'."""
        return self.ratio.log10(similarity)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The calibration that `dataclasses.asdict` laid down."""
        return cls(**{**data, "ratio": LikelihoodRatio(**data["ratio"])})


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a knownness and K values mean, by the development clips.

    A clip is of a known source when its knownness is at least `threshold`, set so that a share of at most `far`
    new strangers is expected to pass, and never below the least of `known`: strangers of development that all lie
    further off than any known clip mustn't loosen it. `known` holds the knownness of the n development clips of
    known sources, ascending; `truths` the probabilities that their true sources got, ascending; `strangers` counts the
    others, and `stranger_sources` names what made them, where that is known: none of it may stand in a test.
    `siblings` are the sets of sources that development clips can't tell apart, `fusion` the rule by which several
    experts gave these values.
    """

    sources: tuple[str, ...]
    far: float
    threshold: float
    temperature: float
    ratio: LikelihoodRatio
    strangers: int
    known: tuple[float, ...]
    truths: tuple[float, ...]
    pairs: PairCalibration | None = None
    stranger_sources: tuple[str, ...] = ()
    siblings: tuple[tuple[str, ...], ...] = ()
    fusion: Fusion | None = None

    @property
    def experts(self) -> tuple[str, ...]:
        """The several experts that gave these values; empty for one alone."""
        return self.fusion.experts if self.fusion else ()

    def siblings_of(self, source: str) -> tuple[str, ...]:
        """The set of siblings that a source is of; empty where it has none."""
        return next((each for each in self.siblings if source in each), ())

    def log10_lr(self, knownness: float) -> float:
        """log10 of p(knownness | one of the enrolled) / p(knownness | a stranger)."""
        return self.ratio.log10(knownness)

    def unknown_probability(self, knownness: float) -> float:
        """The probability of a stranger where strangers are as frequent as known sources."""
        return 1.0 / (1.0 + math.pow(10.0, self.log10_lr(knownness)))

    def probabilities(self, values: ArrayLike, knownness: float) -> Array:
        """The probability of each source, (K,) -> (K,); with `unknown_probability` they sum to 1."""
        share = softmax(np.asarray(values, np.float64) / self.temperature)
        return np.asarray((1.0 - self.unknown_probability(knownness)) * share)

    def p_value(self, knownness: float) -> float:
        """Conformal p-value of 'it is one of the enrolled': (1 + #{known <= knownness}) / (n + 1)."""
        return (1 + int(np.searchsorted(self.known, knownness, side="right"))) / (len(self.known) + 1)

    def prediction_set(self, values: ArrayLike, epsilon: float = 0.05) -> NDArray[np.bool_]:
        """The sources that can't be ruled out, (K,) -> (K,): all whose conformal p-value is over `epsilon`.

        p_c = (1 + #{truths <= probability of c}) / (n + 1), pooled over sources: of clips of known sources,
        a share of at least 1 - `epsilon` is expected to have its source in the set (Vovk et al. 2005).
        """
        share = softmax(np.asarray(values, np.float64) / self.temperature)
        ranks = 1 + np.searchsorted(self.truths, share, side="right")
        return np.asarray(ranks / (len(self.truths) + 1) > epsilon)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The calibration that `to_dict` laid down."""
        lists = {name: tuple(data[name]) for name in ("sources", "known", "truths", "stranger_sources")}
        nested = {
            "ratio": LikelihoodRatio(**data["ratio"]),
            "pairs": PairCalibration.from_dict(data["pairs"]) if data["pairs"] else None,
            "siblings": tuple(map(tuple, data.get("siblings", ()))),
            "fusion": Fusion.from_dict(data["fusion"]) if data.get("fusion") else None,
        }
        return cls(**{**data, **lists, **nested})


def calibrate(
    known_values: ArrayLike,
    known_labels: ArrayLike,
    known_knownness: ArrayLike,
    unknown_knownness: ArrayLike,
    far: float,
    sources: tuple[str, ...] = (),
    pairs: PairCalibration | None = None,
) -> Calibration:
    """Set every figure on development clips; one entry a clip, not a window.

    Args:
        known_values: (n, K) a scorer's values for clips of enrolled sources.
        known_labels: (n,) index of the true source.
        known_knownness: (n,).
        unknown_knownness: (m,) knownness of clips of strangers, none of which is enrolled or stands in a test.
        far: the share of new strangers that may be accepted, 0 to 1.
        sources: the K ids that the values belong to.
        pairs: what `calibrate_pairs` found, kept beside.

    Raises:
        CalibrationError: no known clip, or too few strangers for `far`.
    """
    values, labels = np.asarray(known_values, np.float64), np.asarray(known_labels, np.int64)
    known, strangers = np.sort(np.asarray(known_knownness, np.float64)), np.asarray(unknown_knownness, np.float64)
    if not known.size:
        raise CalibrationError(
            "there is no development clip of an enrolled source: enrol the sources, or list clips of them"
        )
    threshold = max(acceptance_threshold(strangers, far), float(known[0]))
    temperature = fit_temperature(values, labels)
    truths = softmax(values / temperature)[np.arange(len(labels)), labels]
    bounds = -math.log10(known.size + 1), math.log10(strangers.size + 1)
    ratio = fit_likelihood_ratio(known, strangers, *bounds)
    kept = tuple(known.tolist()), tuple(np.sort(truths).tolist())
    return Calibration(sources, far, threshold, temperature, ratio, strangers.size, *kept, pairs)


def calibrate_pairs(similarities: ArrayLike, same: ArrayLike, clips: int) -> PairCalibration:
    """Fit the likelihood ratio of cosine similarities.

    Args:
        similarities: (p,) of pairs of development clips.
        same: (p,) whether a pair has one source.
        clips: how many clips the pairs are made of. Pairs that share a clip aren't independent, so that
            |log10 LR| stays under log10(clips + 1).

    Raises:
        CalibrationError: under 100 pairs of one kind.
    """
    scores, alike = np.asarray(similarities, np.float64), np.asarray(same, bool)
    counts = int(alike.sum()), int((~alike).sum())
    if min(counts) < FEWEST_PAIRS:
        raise CalibrationError(
            f"there are {counts[0]} same-source and {counts[1]} different-source pairs, and a likelihood ratio "
            f"needs {FEWEST_PAIRS} of each: add development clips"
        )
    bound = math.log10(clips + 1)
    return PairCalibration(fit_likelihood_ratio(scores[alike], scores[~alike], -bound, bound), *counts, clips)


def acceptance_threshold(strangers: Array, far: float) -> float:
    """The lowest threshold whose expected false acceptance of one more stranger is at most `far`.

    Of m + 1 exchangeable strangers each is equally likely to be the new one, so it lies above the k-th largest
    of the m others with probability k / (m + 1), ties aside, which only lower it: k = floor(far (m + 1)), and the
    threshold is the next number above. Needs m >= 1 / far - 1. Source: Wilks 1941 (Ann. Math. Stat. 12).
    """
    count = len(strangers)
    rank = math.floor(far * (count + 1) + 1e-9)
    if rank < 1:
        needed = str(math.ceil(1 / far - 1 - 1e-9)) if far > 0 else "infinitely many"
        raise CalibrationError(
            f"{count} development clips of strangers can't bear a false acceptance of {far:g}: "
            f"add clips ({needed} are needed) or ask for at least {math.ceil(1000 / (count + 1)) / 1000:g}"
        )
    if rank > count:
        return float(np.finfo(np.float64).min)
    return float(np.nextafter(np.sort(strangers)[-rank], np.inf))


def fit_temperature(values: Array, labels: NDArray[np.int64]) -> float:
    """T that minimises the cross-entropy of softmax(values / T), (n, K) and (n,).

    The loss is convex in 1 / T (Guo et al. 2017, arXiv 1706.04599); its slope is bisected. Targets hold one clip's
    worth of the uniform distribution, so that T stays finite and above 0 where every clip is named rightly.
    """
    count, classes = values.shape
    targets = np.full((count, classes), 1.0 / classes / (count + 1))
    targets[np.arange(count), labels] += count / (count + 1)
    low, high = -12.0, 12.0  # of log 1 / T
    if np.ptp(values, axis=1).max() == 0:
        return 1.0
    for _ in range(60):
        middle = (low + high) / 2
        slope = ((softmax(values * math.exp(middle)) - targets) * values).sum()
        low, high = (middle, high) if slope < 0 else (low, middle)
    return math.exp(-(low + high) / 2)


def fit_likelihood_ratio(same: Array, different: Array, lowest: float, highest: float) -> LikelihoodRatio:
    """Logistic regression with both classes weighing one half, by damped Newton steps; (n,) and (m,).

    The weighted posterior odds are the likelihood ratio (Bruemmer and du Preez 2006). Targets are Platt's,
    (n + 1) / (n + 2) and 1 / (m + 2), so that scores that don't overlap stay finite (Platt 1999). A slope below zero
    would reward being less alike; then the score says nothing, LR = 1.
    """
    scores = np.concatenate([same, different])
    n, m = len(same), len(different)
    weights = np.repeat([0.5 / n, 0.5 / m], [n, m])
    targets = np.repeat([(n + 1) / (n + 2), 1 / (m + 2)], [n, m])
    centre, width = float(scores.mean()), float(scores.std())
    if width <= 1e-12 * max(1.0, abs(centre)):
        return LikelihoodRatio(0.0, 0.0, lowest, highest)
    design = np.stack([(scores - centre) / width, np.ones(n + m)], axis=1)  # (n + m, 2)
    slope, intercept = _logistic(design, targets, weights)
    if slope <= 0:
        return LikelihoodRatio(0.0, 0.0, lowest, highest)
    return LikelihoodRatio(slope / width, intercept - slope * centre / width, lowest, highest)


def _logistic(design: Array, targets: Array, weights: Array) -> tuple[float, float]:
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


def softmax(logits: Array) -> Array:
    """Softmax over the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def support(log10_lr: float) -> str:
    """The ENFSI verbal band of a likelihood ratio; with ' against' where it speaks for the other proposition.

    Source: ENFSI Guideline for Evaluative Reporting in Forensic Science, 2015.
    """
    size = abs(log10_lr)
    if size < math.log10(2):
        return "no support"
    band = next((name for least, name in BANDS if size >= least), "weak")
    return band if log10_lr > 0 else f"{band} against"
