"""The experts of one task: who is asked about a clip, what each says, and what they say together."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from earwitness.calibration import Calibration
from earwitness.experts import Expert
from earwitness.fusion import Fusion, Opinions, even
from earwitness.listening import Heard
from earwitness.model import Model, unit
from earwitness.timeline import Timeline
from earwitness.types import Card, FloatArray, Scores, Task
from earwitness_registry import Registry

__all__ = ["Council"]


@dataclass(frozen=True)
class Council:
    """The models of one task and what a registry knows in their spaces, at one version of it.

    `cards` are what plugins know about sources, enrolled or not. `asked` names the experts that answer; None leaves
    it to calibration, which chooses one of each panel.
    """

    registry: Registry
    models: tuple[Model, ...]
    cards: tuple[Card, ...] = ()
    asked: tuple[str, ...] | None = None

    @cached_property
    def experts(self) -> tuple[Expert, ...]:
        """Those asked for by name, or one a model: of a panel the one that calibration chose, or the first."""
        panels = [Expert.all_of(self.registry, model) for model in self.models]
        if self.asked:
            return tuple(each for rules in panels for each in rules if each.name in self.asked)
        chosen = self._stored.experts if self._stored else ()
        return tuple(next((each for each in rules if each.name in chosen), rules[0]) for rules in panels)

    @property
    def panels(self) -> tuple[tuple[str, ...], ...]:
        """For each model the experts that its rules make, by name."""
        return tuple(tuple(each.name for each in Expert.all_of(self.registry, model)) for model in self.models)

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
        names = tuple(expert.name for expert in self.experts)
        fits = self._stored and (self._stored.experts or names[:1]) == names
        return self._stored if fits else None

    @cached_property
    def _stored(self) -> Calibration | None:
        """The newest calibration, whomever it is of; one that names no expert is of one alone."""
        data = self.registry.calibration(self.task)
        return Calibration.from_dict(data) if data else None

    @cached_property
    def fusion(self) -> Fusion | None:
        """The rule by which several experts are one."""
        return self.calibration.fusion if self.calibration else None

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

    def groups_of(self, *sources: str) -> tuple[str, ...]:
        """The groups that all of these are of, from narrow to wide."""
        own, *others = [self._groups[source] for source in sources]
        return tuple(each for each in own if all(each in groups for groups in others))

    def kin_of(self, source: str) -> frozenset[str]:
        """A source and what else is enrolled of its family, or of any group of its."""
        own = {*(self._groups[source] or (source,))}
        return frozenset(each for each in self.sources if own & {*self._groups[each], each})

    @cached_property
    def _groups(self) -> dict[str, tuple[str, ...]]:
        return {card.id: card.groups for card in self.known_cards}

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

    def timeline(self, heard: Heard, scores: tuple[Scores | None, ...]) -> Timeline:
        """What the experts say of each part of a clip."""
        tracks = [heard.tracks[expert.model.space] for expert in self.experts]
        windowed = [expert.windowed for expert in self.experts]
        return Timeline.of(tracks, scores, windowed, heard.quality.merits)
