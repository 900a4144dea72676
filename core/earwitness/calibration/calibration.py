"""From scores to promises: thresholds, probabilities, p-values and likelihood ratios, set on development clips.

Every figure is bounded by what the counts behind it can bear, and refused where they can bear none.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from earwitness.calibration.conformal import EPSILON, FEWEST, by_source, p_values
from earwitness.calibration.isotonic import fit_isotonic_ratio
from earwitness.calibration.likelihood import LikelihoodRatio
from earwitness.calibration.pairs import PairCalibration
from earwitness.calibration.probabilities import fit_temperature, softmax
from earwitness.calibration.thresholds import source_thresholds
from earwitness.errors import CalibrationError
from earwitness.fusion import STRANGER, Fusion

__all__ = ["Calibration", "calibrate"]

PSEUDO = "too few strangers were to be had: the threshold stands on enrolled sources left out in turn"

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a knownness and K values mean, by the development clips.

    A clip is accepted when its knownness is at least that of `thresholds` for the source ranked first, or else
    `threshold`, set so that a share of at most `far` new strangers is expected to pass, and never below the least of
    `known`: strangers of development that all lie further off than any known clip mustn't loosen it. It is named when
    it reaches `naming` too, where the source has such: between the two it is an unknown source of the family. Where
    groups lie in wider ones (a device's model in its brand), `group_naming` has the knownness from which a narrower
    one is said.

    `known` holds the knownness of the n development clips of known sources, ascending; `truths` the probabilities
    that their true sources got, ascending, `own_truths` those of sources with clips enough of their own; `strangers`
    counts the others, and `stranger_sources` names what made them, where that is known: none of it may stand in a
    test. `pseudo_strangers` says that too few were to be had, and enrolled families left out in turn stood in for
    them. `splices` holds the gain from which a clip counts as mixed (`earwitness.mixing`), by the source that explains
    it best as a whole, where clips are enough to tell.
    `siblings` are the sets of sources that development clips can't tell apart, `experts` names those that
    gave these values, `fusion` the rule by which several did.
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
    experts: tuple[str, ...] = ()
    thresholds: Mapping[str, float] = field(default_factory=dict)
    naming: Mapping[str, float] = field(default_factory=dict)
    group_naming: Mapping[str, float] = field(default_factory=dict)
    own_truths: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    pseudo_strangers: bool = False
    splices: Mapping[str, float] = field(default_factory=dict)

    def siblings_of(self, source: str) -> tuple[str, ...]:
        """The set of siblings that a source is of; empty where it has none."""
        return next((each for each in self.siblings if source in each), ())

    def floor(self, source: str) -> float:
        """The knownness from which a clip ranked first for a source is accepted, as of its widest group at least."""
        return self.thresholds.get(source, self.threshold)

    def name_floor(self, source: str) -> float:
        """The knownness from which such a clip is given the source's name."""
        return max(self.floor(source), self.naming.get(source, -math.inf))

    def group(self, source: str, knownness: float, groups: Sequence[str]) -> str | None:
        """The narrowest of a source's groups, given from narrow to wide, that a clip ranked first for it bears."""
        named, accepted = knownness >= self.name_floor(source), knownness >= self.floor(source)
        borne = (each for each in groups if named or knownness >= self.group_naming.get(each, -math.inf))
        return next(borne, None) if accepted else None

    def accepted(self, values: ArrayLike, knownness: ArrayLike) -> NDArray[np.bool_]:
        """Whether each clip is of the widest group of the source ranked first, (n, K) and (n,) -> (n,)."""
        floors = np.array([self.floor(source) for source in self.sources])
        return np.asarray(np.asarray(knownness, np.float64) >= floors[np.argmax(values, axis=1)])

    def answers(self, values: ArrayLike, knownness: ArrayLike) -> NDArray[np.int64]:
        """The source named for each clip, (n, K) and (n,) -> (n,); STRANGER where none is."""
        first = np.argmax(values, axis=1)
        floors = np.array([self.name_floor(source) for source in self.sources])
        return np.where(np.asarray(knownness, np.float64) >= floors[first], first, STRANGER)

    def families(
        self, values: ArrayLike, knownness: ArrayLike, groups: Mapping[str, Sequence[str]]
    ) -> list[str | None]:
        """The narrowest group said of each clip, named or not, (n, K) and (n,) -> n; None where not even one is.

        `groups` are those of each source, from narrow to wide.
        """
        first = [self.sources[k] for k in np.argmax(values, axis=1)]
        clips = zip(first, np.asarray(knownness, np.float64).tolist(), strict=True)
        return [self.group(source, each, groups.get(source, ())) for source, each in clips]

    def log10_lr(self, knownness: float) -> float:
        """log10 of p(knownness | one of the enrolled) / p(knownness | a stranger)."""
        return self.ratio.log10(knownness)

    def unknown_probability(self, knownness: float) -> float:
        """The probability of a stranger where strangers are as frequent as known sources."""
        return 1.0 / (1.0 + math.pow(10.0, self.log10_lr(knownness)))

    def probabilities(self, values: ArrayLike, knownness: float) -> Array:
        """The probability of each source, (K,) -> (K,); with `unknown_probability` they sum to 1."""
        return np.asarray((1.0 - self.unknown_probability(knownness)) * self._shares(values))

    def p_value(self, knownness: float) -> float:
        """Conformal p-value of 'it is one of the enrolled': (1 + #{known <= knownness}) / (n + 1)."""
        return float(p_values(self.known, knownness))

    def p_values(self, values: ArrayLike) -> Array:
        """Conformal p-values of 'it is this one of the enrolled', (..., K) -> (..., K).

        Against clips of that source where it has enough of them, or else of all that haven't.
        """
        shares = self._shares(values)
        found = p_values(self.truths, shares)
        for k, source in enumerate(self.sources):
            if source in self.own_truths:
                found[..., k] = p_values(self.own_truths[source], shares[..., k])
        return found

    def prediction_set(self, values: ArrayLike, epsilon: float = EPSILON) -> NDArray[np.bool_]:
        """The sources that can't be ruled out, (..., K) -> (..., K): all whose conformal p-value is over `epsilon`.

        Of clips of known sources a share of at least 1 - `epsilon` is expected to have its source in the set: of
        each source with clips enough of its own, and of all others together.
        """
        return np.asarray(self.p_values(values) > epsilon)

    def candidates(self, values: ArrayLike) -> tuple[str, ...]:
        """The prediction set of one clip (K,) by name; empty too where clips are too few to rule anything out."""
        if len(self.truths) < FEWEST:
            return ()
        return tuple(self.sources[k] for k in np.flatnonzero(self.prediction_set(values)))

    def doubts(self, candidates: tuple[str, ...]) -> tuple[str, ...]:
        """What weakens an answer that leaves these sources, one sentence each."""
        one_set = {self.siblings_of(each) for each in candidates}
        several = len(candidates) > 1 and (len(one_set) > 1 or one_set == {()})
        told = f"several sources can't be told apart here: {', '.join(candidates)}"
        return (*([told] if several else []), *([PSEUDO] if self.pseudo_strangers else []))

    def log_shares(self, values: ArrayLike) -> Array:
        """The logarithm of each source's probability, were it one of the enrolled: (..., K) -> (..., K)."""
        logits = np.asarray(values, np.float64) / self.temperature
        return np.asarray(logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True))

    def _shares(self, values: ArrayLike) -> Array:
        """The probability of each source, were it one of the enrolled: (..., K) -> (..., K)."""
        return softmax(np.asarray(values, np.float64) / self.temperature)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The calibration that `to_dict` laid down, here or in an earlier version."""
        lists = {name: tuple(data[name]) for name in ("sources", "known", "truths", "stranger_sources")}
        nested = {
            "ratio": LikelihoodRatio.from_dict(data["ratio"]),
            "pairs": PairCalibration.from_dict(data["pairs"]) if data["pairs"] else None,
            "siblings": tuple(map(tuple, data.get("siblings", ()))),
            "fusion": Fusion.from_dict(data["fusion"]) if data.get("fusion") else None,
            "experts": tuple(data.get("experts") or (data.get("fusion") or {}).get("experts", ())),
            "own_truths": {source: tuple(kept) for source, kept in data.get("own_truths", {}).items()},
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
    unknown_first: ArrayLike | None = None,
    unknown_makers: ArrayLike | None = None,
) -> Calibration:
    """Set every figure on development clips; one entry a clip, not a window.

    Args:
        known_values: (n, K) a scorer's values for clips of enrolled sources.
        known_labels: (n,) index of the true source.
        known_knownness: (n,).
        unknown_knownness: (m,) knownness of clips of strangers, none of which is enrolled or stands in a test.
        far: the share of new strangers that may be accepted, 0 to 1.
        sources: the K ids that the values belong to; their numbers where none are given.
        pairs: what `calibrate_pairs` found, kept beside.
        unknown_first: (m,) index of the source that each stranger is ranked first for; without it no source gets a
            threshold of its own.
        unknown_makers: (m,) what made each stranger, by name; None where each is a draw of its own.

    Raises:
        CalibrationError: no known clip, or too few strangers for `far`.
    """
    values, labels = np.asarray(known_values, np.float64), np.asarray(known_labels, np.int64)
    known, strangers = np.sort(np.asarray(known_knownness, np.float64)), np.asarray(unknown_knownness, np.float64)
    if not known.size:
        raise CalibrationError(
            "there is no development clip of an enrolled source: enrol the sources, or list clips of them"
        )
    names = sources or tuple(map(str, range(values.shape[1])))
    first = np.full(len(strangers), STRANGER) if unknown_first is None else np.asarray(unknown_first, np.int64)
    makers = None if unknown_makers is None else np.asarray(unknown_makers, np.str_)
    shared, own = source_thresholds(strangers, first, far, makers)
    temperature = fit_temperature(values, labels)
    truths, own_truths = by_source(softmax(values / temperature)[np.arange(len(labels)), labels], labels, names)
    return Calibration(
        sources=names,
        far=far,
        threshold=max(shared, float(known[0])),
        temperature=temperature,
        ratio=fit_isotonic_ratio(known, strangers),
        strangers=strangers.size,
        known=tuple(known.tolist()),
        truths=truths,
        pairs=pairs,
        thresholds={names[k]: max(threshold, float(known[0])) for k, threshold in own.items()},
        own_truths=own_truths,
    )
