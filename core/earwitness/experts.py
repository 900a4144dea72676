"""A model and an open-set rule, asked about a registry: the rows enrolled in its space, and the rule fitted to them."""

import hashlib
import json
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from earwitness.contracts import Scorer, ScorerPanel
from earwitness.listening import Heard
from earwitness.model import Model
from earwitness.parts import describe
from earwitness.subset import Subset
from earwitness.types import Evidence, FloatArray, Scores, State
from earwitness_registry import Registry

__all__ = ["Expert"]


@dataclass(frozen=True)
class Expert:
    """A rule over what a model hears, asked about one registry at one version of it."""

    registry: Registry
    model: Model
    scorer: Scorer
    _rests: dict[frozenset[str], tuple[Subset, State]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def all_of(cls, registry: Registry, model: Model) -> "tuple[Self, ...]":
        """A model's expert, or one for each rule of its panel."""
        rule = model.pipeline.scorer
        rules = rule.scorers if isinstance(rule, ScorerPanel) else (rule,)
        return tuple(cls(registry, model, each) for each in rules)

    @property
    def name(self) -> str:
        """The name of its pipeline; with that of its rule where the pipeline has several."""
        pipeline = self.model.pipeline
        return pipeline.name if self.scorer is pipeline.scorer else f"{pipeline.name}/{self.scorer.name}"

    @property
    def windowed(self) -> bool:
        """Whether it hears parts of a clip, and not only the whole."""
        return self.model.pipeline.window != "clip"

    @cached_property
    def gallery(self) -> Any:
        """The enrolled rows of this model's space, with the directions that it learned for their sources."""
        gallery = self.registry.gallery(self.model.space)
        heads = gallery.heads.copy()
        for k, source in enumerate(gallery.sources):
            heads[k] = self.model.heads.get(source, 0.0)
        return replace(gallery, heads=heads)

    @cached_property
    def state(self) -> State:
        """What the scorer learned from the enrolled rows, kept until the registry changes."""
        digest = hashlib.sha256(json.dumps(describe(self.scorer), sort_keys=True).encode()).hexdigest()[:16]
        if (kept := self.registry.load_state(self.model.space, digest)) is not None:
            return kept
        state = self.scorer.fit(self.gallery)
        self.registry.save_state(self.model.space, digest, state)
        return state

    def scores(self, heard: Heard) -> Scores | None:
        """Values and knownness of each window, or None where this expert abstains."""
        track = heard.tracks[self.model.space]
        if track.abstention:
            return None
        return self.scorer.score(self.state, self.gallery, track.embeddings)

    def scores_without(self, heard: Heard, left_out: frozenset[str]) -> Scores | None:
        """The scores as if some sources had never been enrolled; each of them is worth the least of the others."""
        track = heard.tracks[self.model.space]
        if track.abstention:
            return None
        rest, state = self._rest(left_out)
        scores = self.scorer.score(state, rest, track.embeddings)
        values = np.repeat(scores.values.min(axis=1, keepdims=True), len(self.gallery.sources), axis=1)
        values[:, np.isin(self.gallery.sources, rest.sources)] = scores.values
        return Scores(values, scores.knownness)

    def _rest(self, left_out: frozenset[str]) -> tuple[Subset, State]:
        """The rows of all other sources, and the scorer fitted to them."""
        if left_out not in self._rests:
            self._rests.clear()  # who asks goes through one set of sources after the other
            rest = Subset.without(self.gallery, left_out)
            self._rests[left_out] = rest, self.scorer.fit(rest)
        return self._rests[left_out]

    def similarities(self, mean: FloatArray) -> FloatArray:
        """The cosine of a clip's mean (d,) to the nearest reference of each source, (K,)."""
        nearest = np.full(len(self.gallery.sources), -1.0, np.float32)
        np.maximum.at(nearest, self.gallery.labels, self.gallery.embeddings @ mean)
        return nearest

    def evidence(self, embeddings: FloatArray, count: int = 3) -> tuple[Evidence, ...]:
        """The references nearest to any window (B, d), each clip once."""
        similarities, rows = self.gallery.search(embeddings, 2 * count)
        found: dict[tuple[str, str], float] = {}
        for flat in np.argsort(-similarities, axis=None):
            reference = self.gallery.reference(int(rows.flat[flat]))
            found.setdefault(reference, float(similarities.flat[flat]))
        return tuple(Evidence(source, clip, cosine) for (source, clip), cosine in list(found.items())[:count])
