"""From what was heard to a verdict: experts fused, threshold, calibrated figures, and the references behind."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from earwitness import __version__
from earwitness.calibration import Calibration, support
from earwitness.experts import Expert
from earwitness.fusion import Fusion, Opinions, even
from earwitness.listening import Heard
from earwitness.model import Model, unit
from earwitness.suspicion import suspects
from earwitness.timeline import Timeline
from earwitness.types import Card, FloatArray, Rank, Scores, Segment, Share, Task, Verdict
from earwitness_registry import Registry

__all__ = ["Judge"]

UNCALIBRATED = (
    "this registry has no threshold yet, so nothing can be called known or unknown: run 'earwitness calibrate'"
)
NOTHING_ENROLLED = "no source is enrolled for this task: run 'earwitness enroll'"


@dataclass(frozen=True)
class Judge:
    """The models of one task and what a registry knows in their spaces, at one version of it.

    `cards` are what plugins know about sources, enrolled or not.
    """

    registry: Registry
    models: tuple[Model, ...]
    cards: tuple[Card, ...] = ()

    @cached_property
    def experts(self) -> tuple[Expert, ...]:
        """One a model, or several where its scorer is a panel."""
        return tuple(expert for model in self.models for expert in Expert.of(self.registry, model))

    @property
    def task(self) -> Task:
        """The question asked."""
        return self.models[0].pipeline.task

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """The K ids enrolled; every clip is enrolled in all spaces, so that they are the same for all experts."""
        sources: tuple[str, ...] = self.experts[0].gallery.sources
        return sources

    @cached_property
    def space(self) -> str:
        """The space of the only expert, or a digest of all their spaces."""
        spaces = [model.space for model in self.models]
        return spaces[0] if len(spaces) == 1 else hashlib.sha256("".join(spaces).encode()).hexdigest()[:16]

    @cached_property
    def calibration(self) -> Calibration | None:
        """Fusion, thresholds and probabilities, when the registry has been calibrated with these very experts."""
        data = self.registry.calibration(self.task)
        found = Calibration.from_dict(data) if data else None
        names = tuple(expert.name for expert in self.experts)
        return found if found and found.experts == (names if len(names) > 1 else ()) else None

    @cached_property
    def fusion(self) -> Fusion | None:
        """The rule by which several experts are one, for the sources enrolled now."""
        rule = self.calibration.fusion if self.calibration else None
        return rule.among(self.sources) if rule else None

    @cached_property
    def known_cards(self) -> tuple[Card, ...]:
        """All cards of this task; where the registry has its own of a source, that one."""
        return tuple({card.id: card for card in (*self.cards, *self.registry.cards(self.task))}.values())

    @cached_property
    def stale(self) -> str | None:
        """Why the calibration no longer fits the enrolled rows, if it doesn't."""
        if self.calibration is None or self.registry.calibration_is_current(self.task):
            return None
        changed = sorted(set(self.sources) ^ set(self.calibration.sources))[:3]
        return f"calibrated before {', '.join(changed) or 'clips'} came or went: run 'earwitness calibrate' again"

    def abstention(self, heard: Heard) -> str | None:
        """Why no expert can say anything about a file, if none can."""
        reasons = [heard.tracks[model.space].abstention for model in self.models]
        return reasons[0] if all(reasons) else None

    def scores(self, heard: Heard) -> tuple[Scores | None, ...]:
        """What each expert says of its windows, None where it abstains."""
        return tuple(expert.scores(heard) for expert in self.experts)

    def kin_of(self, source: str) -> frozenset[str]:
        """A source and what else is enrolled of its family."""
        cards = {card.id: card for card in self.known_cards}
        family = cards[source].family or source
        return frozenset(each for each in self.sources if family in (cards[each].family, each))

    def scores_without(self, heard: Heard, left_out: frozenset[str]) -> tuple[Scores | None, ...]:
        """The same as if some sources had never been enrolled: what a clip of theirs would be as a stranger's."""
        return tuple(expert.scores_without(heard, left_out) for expert in self.experts)

    def opinions(self, heard: Heard, scores: tuple[Scores | None, ...]) -> Opinions:
        """What the experts say of a clip as a whole, n = 1."""
        values = np.full((1, len(scores), len(self.sources)), np.nan)
        knownness = np.full((1, len(scores)), np.nan)
        for at, windows in enumerate(scores):
            if windows is not None:
                pooled = windows.pooled()
                values[:, at], knownness[:, at] = pooled.values, pooled.knownness
        return Opinions(values, knownness, heard.quality.merits[None])

    def fused(self, opinions: Opinions, fusion: Fusion | None) -> Scores:
        """One value for each source and one knownness for n clips: a lone expert's own, or all experts' by the rule."""
        if len(self.experts) == 1:
            return Scores(opinions.values[:, 0].astype(np.float32), opinions.knownness[:, 0].astype(np.float32))
        if fusion is None:
            values = even(opinions.values)
            return Scores(values.astype(np.float32), values.max(axis=1).astype(np.float32))
        values, knownness = fusion.fuse(opinions)
        return Scores(values.astype(np.float32), knownness.astype(np.float32))

    def mean(self, heard: Heard) -> FloatArray:
        """Unit vector whose products are the mean cosine over experts: their clip means, 0 where one abstains."""
        spaces = {expert.model.space: expert.gallery.embeddings.shape[1] for expert in self.experts}
        tracks, sizes = [heard.tracks[space] for space in spaces], spaces.values()
        parts = [np.zeros(d) if t.abstention else t.mean for t, d in zip(tracks, sizes, strict=True)]
        vector: FloatArray = unit(np.concatenate(parts)[None])[0]
        return vector

    def judge(self, heard: Heard, top: int = 5, segments: bool = False) -> Verdict:
        """The verdict on one file."""
        if heard.error:
            return replace(self._blank(heard), verdict="error", error=str(heard.error))
        reason = self.abstention(heard) or (None if self.sources else NOTHING_ENROLLED)
        if reason:
            blank = self._blank(heard)
            return replace(blank, warnings=(reason, *blank.warnings))
        return self.answer(heard, self.scores(heard), top, segments)

    def _blank(self, heard: Heard) -> Verdict:
        """A verdict that says who was asked about what, and no answer yet."""
        origin = heard.origin
        suspected, family = suspects(heard.traces, self.known_cards)
        return Verdict(
            clip=str(heard.excerpt),
            sha256=origin.sha256 if origin else None,
            task=self.task,
            verdict="abstain",
            family=family,
            traces=heard.traces,
            suspects=suspected,
            duration=origin.duration if origin else None,
            warnings=self.warnings(heard),
            pipeline="+".join(model.pipeline.name for model in self.models),
            space=self.space,
            registry=self._registry,
            engine=__version__,
        )

    def warnings(self, heard: Heard) -> tuple[str, ...]:
        """What weakens the answer: of the file, then of each expert's windows, each once; then who abstains."""
        notes = [note for model in self.models for note in heard.warnings_in(model.space)]
        return (*dict.fromkeys(notes), *self._abstaining(heard))

    def _abstaining(self, heard: Heard) -> tuple[str, ...]:
        """Which experts have no say about a file that others answer for, and why."""
        tracks = [(model.pipeline.name, heard.tracks[model.space]) for model in self.models if heard.tracks]
        reasons = [(name, track.abstention) for name, track in tracks]
        if all(reason for _, reason in reasons):
            return ()
        return tuple(f"expert {name!r} abstains: {reason}" for name, reason in reasons if reason)

    @cached_property
    def _registry(self) -> Mapping[str, Any]:
        return {"name": self.registry.name, "version": self.registry.version, "sources": len(self.sources)}

    def answer(self, heard: Heard, scores: tuple[Scores | None, ...], top: int = 5, segments: bool = False) -> Verdict:
        """The verdict on a file that can bear one, from the scores of its windows."""
        opinions = self.opinions(heard, scores)
        clip = self.fused(opinions, self.fusion)
        values, knownness = clip.values[0], float(clip.knownness[0])
        shares = self._shares(opinions, int(values.argmax()))
        lead = self._lead(scores, shares)
        track = heard.tracks[lead.model.space]
        answer = replace(
            self._blank(heard),
            knownness=knownness,
            ranking=self._ranking(lead.similarities(track.mean), values, knownness, top),
            evidence=lead.evidence(track.embeddings),
            experts=shares,
            segments=self._segments(self.timeline(heard, scores)) if segments else (),
        )
        if self.calibration is None:
            return replace(answer, warnings=(UNCALIBRATED, *answer.warnings))
        return self._calibrated(answer, self.calibration, values, knownness)

    def _calibrated(self, answer: Verdict, calibration: Calibration, values: FloatArray, knownness: float) -> Verdict:
        """The answer with every figure that calibration bears."""
        best = self.sources[int(values.argmax())]
        known = knownness >= calibration.threshold
        log10_lr = calibration.log10_lr(knownness)
        siblings = calibration.siblings_of(best)
        probabilities = dict(zip(self.sources, calibration.probabilities(values, knownness).tolist(), strict=True))
        return replace(
            answer,
            verdict="known" if known else "unknown",
            source=best if known else None,
            siblings=siblings if known else (),
            family=self.registry.card(best).family if known else answer.family,
            threshold=calibration.threshold,
            probability=sum(probabilities.get(each, 0.0) for each in siblings or (best,)),
            unknown_probability=calibration.unknown_probability(knownness),
            p_value=calibration.p_value(knownness),
            log10_lr=log10_lr,
            support=support(log10_lr),
            warnings=(*answer.warnings, *([self.stale] if self.stale else ())),
        )

    def _shares(self, opinions: Opinions, best: int) -> tuple[Share, ...]:
        """What each expert adds to the best source's value, most first; nothing where one expert is all."""
        if self.fusion is None:
            return ()
        shares = self.fusion.shares(opinions)[0, :, best]  # (E,)
        found = [Share(expert.name, float(share)) for expert, share in zip(self.experts, shares, strict=True)]
        return tuple(sorted(found, key=lambda each: -each.share))

    def _lead(self, scores: tuple[Scores | None, ...], shares: tuple[Share, ...]) -> Expert:
        """The expert that carries the answer: its references are the evidence."""
        heard = [expert for expert, windows in zip(self.experts, scores, strict=True) if windows is not None]
        order = [each.expert for each in shares]
        return min(heard, key=lambda expert: order.index(expert.name)) if order else heard[0]

    def _ranking(self, cosines: FloatArray, values: FloatArray, knownness: float, top: int) -> tuple[Rank, ...]:
        """The best sources, best first; `similarity` is the leading expert's cosine to the nearest reference."""
        probabilities = self.calibration.probabilities(values, knownness) if self.calibration else None
        order = np.argsort(-values, kind="stable")[: top or None]
        return tuple(
            Rank(self.sources[k], None if probabilities is None else float(probabilities[k]), float(cosines[k]))
            for k in order
        )

    def timeline(self, heard: Heard, scores: tuple[Scores | None, ...]) -> Timeline:
        """What the experts say of each part of a clip."""
        tracks = [heard.tracks[expert.model.space] for expert in self.experts]
        windowed = [expert.windowed for expert in self.experts]
        return Timeline.of(tracks, scores, windowed, self.opinions(heard, scores))

    def _segments(self, line: Timeline) -> tuple[Segment, ...]:
        """An answer for each part of a clip."""
        parts = self.fused(line.opinions, self.fusion)
        floor = self.calibration.threshold if self.calibration else np.inf
        return tuple(
            Segment(
                start=float(start),
                end=float(start) + line.seconds,
                source=self.sources[int(value.argmax())] if known >= floor else None,
                knownness=float(known),
            )
            for start, value, known in zip(line.starts, parts.values, parts.knownness, strict=True)
        )
