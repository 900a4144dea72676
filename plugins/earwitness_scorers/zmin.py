"""The least of several anomalies, each measured by what it is among enrolled rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from earwitness.contracts import Gallery, Scorer
from earwitness.subset import Subset
from earwitness.types import FloatArray, IntArray, Scores, State
from earwitness_scorers.anomalies import density_ratios, principal_axes
from earwitness_scorers.knn import NearestNeighbours
from earwitness_scorers.mahalanobis import Mahalanobis
from earwitness_scorers.vim import residuals

Array = NDArray[np.float64]

FOLDS = 10
"""Parts of a source's clips, one of which is left out at a time."""
STEADY = 0.05
"""Share of the mean under which a deviation counts as chance."""
BACKENDS: dict[str, Scorer] = {"knn": NearestNeighbours(), "mahalanobis": Mahalanobis()}


@dataclass(frozen=True, slots=True)
class ZMin:
    """Unknown when even the kindest of four backends finds a window odd.

    Each backend b gives a window an anomaly a_b, and z_b = (a_b - mean_b) / deviation_b by the anomalies that it gives
    to enrolled rows while their clip is left out: one clip of each source at a time, or a tenth of them. Knownness is
    -min z_b (`fusion`: or the mean). On `rows` enrolled rows at most, drawn evenly. The backends are

        knn           minus the knownness of `knn`,
        mahalanobis   minus the knownness of `mahalanobis`,
        density       d(z) / mean of d over its k nearest rows, d the distance to the k-th nearest row,
        residual      |r - P P' r|, r = z - mean row, P the leading axes with a share `variance` of all variance,

    with k = `k`, or half of the rows of the median source if these are fewer. Values are those of `mahalanobis`. Where
    no source has a second clip nothing can be left out, and z_b is a_b.

    It needs `knn`'s candidates of the index, another search for each of the k nearest rows, and all sources' means.

    Source: Zhou and Wang 2026, Scoring Backends Matter More Than Pooling (arXiv 2606.19269).
    """

    name: ClassVar[str] = "zmin"
    fusion: Literal["min", "mean"] = "min"
    k: int = 5
    variance: float = 0.9
    rows: int = 500

    def fit(self, gallery: Gallery) -> State:
        """The state of each backend, its arrays under the backend's name, and `centres` and `widths` (4,)."""
        centres, widths = moments(self._left_out(gallery))
        return {**self._backends(gallery), "centres": centres, "widths": widths}

    def score(self, state: State, gallery: Gallery, queries: FloatArray) -> Scores:
        """(B, d) -> the values of `mahalanobis` (B, K), minus the fused anomaly (B,)."""
        values, anomalies = self._anomalies(state, gallery, queries)
        z = (anomalies - state["centres"]) / state["widths"]
        return Scores(values, -(z.min(axis=1) if self.fusion == "min" else z.mean(axis=1)).astype(np.float32))

    def _backends(self, gallery: Gallery) -> dict[str, NDArray[Any]]:
        fitted = {name: scorer.fit(gallery) for name, scorer in BACKENDS.items()}
        half = np.median(np.bincount(gallery.labels)) // 2
        fitted["density"] = {"k": np.array([np.clip(half, 1, self.k)], np.int64)}
        centre, axes = principal_axes(gallery.embeddings, self.variance)
        fitted["residual"] = {"centre": centre.astype(np.float32), "axes": axes.astype(np.float32)}
        return {f"{name}.{key}": array for name, arrays in fitted.items() for key, array in arrays.items()}

    def _anomalies(self, state: State, gallery: Gallery, queries: FloatArray) -> tuple[FloatArray, Array]:
        """Values (B, K) and the four anomalies (B, 4)."""
        scores = {name: scorer.score(_part(state, name), gallery, queries) for name, scorer in BACKENDS.items()}
        odd = [-each.knownness for each in scores.values()]
        odd.append(density_ratios(gallery, queries, state["density.k"].item()))
        odd.append(residuals(queries - state["residual.centre"], state["residual.axes"]))
        return scores["mahalanobis"].values, np.stack(odd, axis=1).astype(np.float64)

    def _left_out(self, gallery: Gallery) -> Array:
        """The anomalies (M, 4) of enrolled rows by what is enrolled besides their fold."""
        fold = folds(gallery)
        drawn = np.unique(np.linspace(0, len(fold) - 1, min(self.rows, len(fold))).astype(np.int64))
        drawn = drawn[fold[drawn] >= 0]
        found = [np.empty((0, 4))]
        for each in np.unique(fold[drawn]):
            rest = without_rows(gallery, fold == each)
            held = gallery.embeddings[drawn[fold[drawn] == each]]
            found.append(self._anomalies(self._backends(rest), rest, held)[1])
        return np.concatenate(found)


def _part(state: State, backend: str) -> Mapping[str, NDArray[Any]]:
    """The arrays of one backend by their own names."""
    return {key.removeprefix(f"{backend}."): array for key, array in state.items() if key.startswith(f"{backend}.")}


def folds(gallery: Gallery) -> IntArray:
    """The fold of each row (N,): that of its clip, by its place among those of the source; -1 for an only clip."""
    pairs, of_row = np.unique(np.stack([gallery.labels, gallery.clips]), axis=1, return_inverse=True)
    opens = np.searchsorted(pairs[0], pairs[0])  # where each pair's source begins
    fold = (np.arange(len(opens)) - opens) % FOLDS
    fold[np.bincount(pairs[0])[pairs[0]] == 1] = -1
    return np.asarray(fold[of_row])


def without_rows(gallery: Gallery, left_out: NDArray[np.bool_]) -> Subset:
    """A gallery with the same sources and fewer rows (N,)."""
    kept = ~left_out
    rows = (gallery.embeddings[kept], gallery.labels[kept], gallery.clips[kept], gallery.cells[kept])
    return Subset(gallery.sources, gallery.heads, *rows)


def moments(anomalies: Array) -> tuple[Array, Array]:
    """Mean and deviation (4,) of anomalies (M, 4); 0 and 1 where there are none to tell."""
    if not len(anomalies):
        return np.zeros(anomalies.shape[1]), np.ones(anomalies.shape[1])
    centres = anomalies.mean(axis=0)
    widths = np.maximum(anomalies.std(axis=0), STEADY * np.abs(centres))
    return centres, np.where(widths > 0, widths, 1.0)
