"""Careless scorers and panels."""

# ruff: noqa: ARG002 - a contract has arguments that a careless part doesn't read

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from earwitness.types import Scores


@dataclass(frozen=True)
class Nearest:
    """Keeps all rules: the cosine to the mean of each source."""

    name: ClassVar[str] = "nearest"

    def fit(self, gallery):
        rows = [gallery.embeddings[gallery.labels == k].mean(axis=0) for k in range(len(gallery.sources))]
        return {"means": np.stack(rows)}

    def score(self, state, gallery, queries):
        values = queries @ state["means"].T
        return Scores(values, values.max(axis=1))


class NamesUnknown(Nearest):
    """Has a column more, for what is unknown."""

    name: ClassVar[str] = "names_unknown"

    def score(self, state, gallery, queries):
        scores = Nearest.score(self, state, gallery, queries)
        return Scores(np.pad(scores.values, ((0, 0), (0, 1)), constant_values=-9), scores.knownness)


class Mirrors(Nearest):
    name: ClassVar[str] = "mirrors"

    def score(self, state, gallery, queries):
        scores = Nearest.score(self, state, gallery, queries)
        return Scores(scores.values[:, ::-1], scores.knownness)


class Distance(Nearest):
    """Says how far a query is, not how near."""

    name: ClassVar[str] = "distance"

    def score(self, state, gallery, queries):
        scores = Nearest.score(self, state, gallery, queries)
        return Scores(scores.values, -scores.knownness)


class FirstRow(Nearest):
    name: ClassVar[str] = "first_row"

    def fit(self, gallery):
        return {"means": gallery.embeddings[[gallery.labels.tolist().index(k) for k in range(len(gallery.sources))]]}


class NeedsScatter(Nearest):
    name: ClassVar[str] = "needs_scatter"

    def fit(self, gallery):
        means = Nearest.fit(self, gallery)["means"]
        with np.errstate(all="ignore"):
            return {"means": means / (gallery.embeddings - means[gallery.labels]).std()}

    def score(self, state, gallery, queries):
        with np.errstate(all="ignore"):
            return Nearest.score(self, state, gallery, queries)


@dataclass(frozen=True)
class Pair:
    """Keeps all rules."""

    name: ClassVar[str] = "pair"

    @property
    def scorers(self):
        return (Nearest(),)


class Twins(Pair):
    name: ClassVar[str] = "twins"

    @property
    def scorers(self):
        return (Nearest(), Nearest())


SCORERS = [Nearest, NamesUnknown, Mirrors, Distance, FirstRow, NeedsScatter, Pair, Twins]
