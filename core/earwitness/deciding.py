"""From what was heard to a verdict: scores, threshold, calibrated figures, and the references that bear them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from earwitness import __version__
from earwitness.calibration import Calibration, support
from earwitness.listening import Heard, Track
from earwitness.model import Model
from earwitness.pipeline import describe
from earwitness.types import Evidence, FloatArray, Rank, Scores, Segment, State, Verdict
from earwitness_registry import Registry

__all__ = ["Judge"]

UNCALIBRATED = (
    "this registry has no threshold yet, so nothing can be called known or unknown: run 'earwitness calibrate'"
)


@dataclass(frozen=True)
class Judge:
    """One model's part of a registry, at one version of it: gallery, fitted scorer and calibration."""

    registry: Registry
    model: Model

    @cached_property
    def gallery(self) -> Any:
        """The enrolled rows of this model's space."""
        return self.registry.gallery(self.model.space)

    @cached_property
    def state(self) -> State:
        """What the scorer learned from the enrolled rows, kept until the registry changes."""
        scorer = self.model.pipeline.scorer
        digest = hashlib.sha256(json.dumps(describe(scorer), sort_keys=True).encode()).hexdigest()[:16]
        if (kept := self.registry.load_state(self.model.space, digest)) is not None:
            return kept
        state = scorer.fit(self.gallery)
        self.registry.save_state(self.model.space, digest, state)
        return state

    @cached_property
    def calibration(self) -> Calibration | None:
        """Thresholds and probabilities, when the registry has been calibrated."""
        data = self.registry.calibration(self.model.pipeline.task)
        return Calibration.from_dict(data) if data else None

    @cached_property
    def stale(self) -> str | None:
        """Why the calibration no longer fits the enrolled rows, if it doesn't."""
        if self.calibration is None or self.registry.calibration_is_current(self.model.pipeline.task):
            return None
        changed = sorted(set(self.gallery.sources) ^ set(self.calibration.sources))[:3]
        return f"calibrated before {', '.join(changed) or 'clips'} came or went: run 'earwitness calibrate' again"

    def scores(self, embeddings: FloatArray) -> Scores:
        """(B, d) -> the scorer's values and knownness by window."""
        return self.model.pipeline.scorer.score(self.state, self.gallery, embeddings)

    def judge(self, heard: Heard, top: int = 5, segments: bool = False) -> Verdict:
        """The verdict on one file."""
        blank = self._blank(heard)
        if heard.error:
            return replace(blank, verdict="error", error=str(heard.error))
        track = heard.tracks[self.model.space]
        if track.abstention:
            return replace(blank, warnings=(track.abstention, *blank.warnings))
        if not self.gallery.sources:
            return replace(
                blank, warnings=("no source is enrolled for this task: run 'earwitness enroll'", *blank.warnings)
            )
        return self.answer(heard, self.scores(track.embeddings), top, segments)

    def _blank(self, heard: Heard) -> Verdict:
        """A verdict that says who was asked about what, and no answer yet."""
        origin, pipeline = heard.origin, self.model.pipeline
        return Verdict(
            clip=str(heard.excerpt),
            sha256=origin.sha256 if origin else None,
            task=pipeline.task,
            verdict="abstain",
            traces=heard.traces,
            duration=origin.duration if origin else None,
            warnings=heard.warnings_in(self.model.space),
            pipeline=pipeline.name,
            space=self.model.space,
            registry=self._registry,
            engine=__version__,
        )

    @cached_property
    def _registry(self) -> Mapping[str, Any]:
        return {"name": self.registry.name, "version": self.registry.version, "sources": len(self.gallery.sources)}

    def answer(self, heard: Heard, windows: Scores, top: int = 5, segments: bool = False) -> Verdict:
        """The verdict on a file that can bear one, from the scores of its windows."""
        track, clip = heard.tracks[self.model.space], windows.pooled()
        values, knownness = clip.values[0], float(clip.knownness[0])
        calibration, best = self.calibration, int(values.argmax())
        answer = replace(
            self._blank(heard),
            knownness=knownness,
            ranking=self._ranking(track.mean, values, knownness, top),
            evidence=self._evidence(track.embeddings),
            segments=self._segments(track, windows) if segments else (),
        )
        if calibration is None:
            return replace(answer, warnings=(UNCALIBRATED, *answer.warnings))
        source = self.gallery.sources[best] if knownness >= calibration.threshold else None
        return self._calibrated(answer, calibration, source, knownness)

    def _calibrated(self, answer: Verdict, calibration: Calibration, source: str | None, knownness: float) -> Verdict:
        """The answer with every figure that calibration bears."""
        log10_lr = calibration.log10_lr(knownness)
        return replace(
            answer,
            verdict="known" if source else "unknown",
            source=source,
            family=self.registry.card(source).family if source else None,
            threshold=calibration.threshold,
            probability=answer.ranking[0].probability,
            unknown_probability=calibration.unknown_probability(knownness),
            p_value=calibration.p_value(knownness),
            log10_lr=log10_lr,
            support=support(log10_lr),
            warnings=(*answer.warnings, *([self.stale] if self.stale else ())),
        )

    def _ranking(self, mean: FloatArray, values: FloatArray, knownness: float, top: int) -> tuple[Rank, ...]:
        """The best sources, best first; `similarity` is the cosine of the clip to the source's nearest reference."""
        probabilities = self.calibration.probabilities(values, knownness) if self.calibration else None
        cosines = self.gallery.embeddings @ mean  # (N,)
        order = np.argsort(-values, kind="stable")[: top or None]
        return tuple(
            Rank(
                source=self.gallery.sources[k],
                probability=None if probabilities is None else float(probabilities[k]),
                similarity=float(cosines[self.gallery.labels == k].max()),
            )
            for k in order
        )

    def _evidence(self, embeddings: FloatArray, count: int = 3) -> tuple[Evidence, ...]:
        """The nearest references, each clip once."""
        similarities, rows = self.gallery.search(embeddings, 2 * count)
        found: dict[tuple[str, str], float] = {}
        for flat in np.argsort(-similarities, axis=None):
            reference = self.gallery.reference(int(rows.flat[flat]))
            found.setdefault(reference, float(similarities.flat[flat]))
        return tuple(Evidence(source, clip, cosine) for (source, clip), cosine in list(found.items())[:count])

    def _segments(self, track: Track, windows: Scores) -> tuple[Segment, ...]:
        """The timeline: one answer a window, unknown under the threshold."""
        floor = self.calibration.threshold if self.calibration else np.inf
        return tuple(
            Segment(
                start=float(start),
                end=float(start) + track.seconds,
                source=self.gallery.sources[int(values.argmax())] if knownness >= floor else None,
                knownness=float(knownness),
            )
            for start, values, knownness in zip(track.starts, windows.values, windows.knownness, strict=True)
        )
