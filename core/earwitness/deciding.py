"""From what was heard to a verdict: experts fused, threshold, calibrated figures, and the references behind."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from earwitness import __version__
from earwitness.calibration import Calibration, support
from earwitness.council import Council
from earwitness.experts import Expert
from earwitness.fusion import STRANGER, Opinions
from earwitness.listening import Heard
from earwitness.mixing import best_splice, whole
from earwitness.suspicion import suspects
from earwitness.timeline import Timeline
from earwitness.types import FloatArray, Mixed, Rank, Scores, Segment, Share, Verdict

__all__ = ["Judge"]

UNCALIBRATED = (
    "this registry has no threshold yet, so nothing can be called known or unknown: run 'earwitness calibrate'"
)
NOTHING_ENROLLED = "no source is enrolled for this task: run 'earwitness enroll'"


class Judge(Council):
    """Turns what the experts say of a clip into a verdict, by what calibration bears."""

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
        blank, line = self._blank(heard), self.timeline(heard, scores)
        mixed = self._mixed(line)
        answer = replace(
            blank,
            knownness=knownness,
            ranking=self._ranking(lead.similarities(track.mean), values, knownness, top),
            evidence=lead.evidence(track.embeddings),
            experts=shares,
            segments=self._segments(line) if segments else (),
            mixed=mixed,
            warnings=(*([str(mixed)] if mixed else []), *blank.warnings),
        )
        if self._meant is None:
            return replace(answer, warnings=(UNCALIBRATED, *answer.warnings))
        return self._calibrated(answer, self._meant, values, knownness)

    @cached_property
    def _meant(self) -> Calibration | None:
        """The calibration, for the sources enrolled now."""
        return replace(self.calibration, sources=self.sources) if self.calibration else None

    def _calibrated(self, answer: Verdict, calibration: Calibration, values: FloatArray, knownness: float) -> Verdict:
        """The answer with every figure that calibration bears."""
        best = self.sources[int(values.argmax())]
        known, accepted = knownness >= calibration.name_floor(best), knownness >= calibration.floor(best)
        siblings = calibration.siblings_of(best)
        shares = calibration.probabilities(values, knownness)
        probabilities = dict(zip(self.sources, shares.tolist(), strict=True))
        groups = self.groups_of(best, *(each for each in siblings if known and each in probabilities))
        candidates = calibration.candidates(values)
        log10_lr = calibration.log10_lr(knownness)
        return replace(
            answer,
            verdict="known" if known else "unknown",
            source=best if known else None,
            siblings=siblings if known else (),
            candidates=candidates,
            family=calibration.group(best, knownness, groups) if accepted else answer.family,
            threshold=calibration.name_floor(best),
            probability=sum(probabilities.get(each, 0.0) for each in siblings or (best,)),
            unknown_probability=calibration.unknown_probability(knownness),
            p_value=calibration.p_value(knownness),
            log10_lr=log10_lr,
            support=support(log10_lr),
            warnings=(
                *answer.warnings,
                *calibration.doubts(candidates if known else ()),
                *([self.stale] if self.stale else ()),
            ),
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

    def _mixed(self, line: Timeline) -> Mixed | None:
        """The change of source within a clip, where calibration bears one."""
        if self.calibration is None or not self.calibration.splices:
            return None
        logs = self.calibration.log_shares(self.fused(line.apart, self.fusion).values)
        found = best_splice(logs)
        if found is None or found.gain < self.calibration.splices.get(self.sources[whole(logs)], np.inf):
            return None
        before, after = self.sources[found.before], self.sources[found.after]
        alike = after in self.calibration.siblings_of(before)
        return None if alike else Mixed(line.change(found.at), before, after)

    def _segments(self, line: Timeline) -> tuple[Segment, ...]:
        """An answer for each part of a clip."""
        parts = self.fused(line.opinions, self.fusion)
        named = self._named(parts.values, parts.knownness)
        return tuple(
            Segment(float(start), float(start) + line.seconds, source, float(known))
            for start, source, known in zip(line.starts, named, parts.knownness, strict=True)
        )

    def _named(self, values: FloatArray, knownness: FloatArray) -> tuple[str | None, ...]:
        """The source named for each of n parts, (n, K) and (n,); None for what isn't known, or before calibration."""
        if self._meant is None:
            return (None,) * len(values)
        answers = self._meant.answers(values, knownness)
        return tuple(None if k == STRANGER else self.sources[k] for k in answers)
