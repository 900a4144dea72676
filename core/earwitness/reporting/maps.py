"""Embeddings as points in a plane."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from earwitness.errors import MissingExtraError
from earwitness.plotting import PALETTE
from earwitness.reporting.drawing import drawn, shortened
from earwitness.reporting.html import Html, picture
from earwitness.types import FloatArray, IntArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Text

__all__ = ["embedding_map", "load_manifold", "plane"]

FEWEST, MOST = 30, 600
"""Clips under which t-SNE has no neighbourhoods to keep, and over which a page would wait for it."""
MARKS = "os^Dv<>P"
FEW = 20
"""Sources up to which a map is small enough for a phone."""


def load_manifold() -> type:
    """scikit-learn's t-SNE; MissingExtraError when it isn't installed."""
    try:
        from sklearn.manifold import TSNE
    except ImportError as error:
        raise MissingExtraError("the map of embeddings", "report") from error
    found: type = TSNE
    return found


def plane(vectors: FloatArray) -> NDArray[np.float64]:
    """Unit vectors (n, d) as points (n, 2), near where they are alike: t-SNE, or principal axes of a few.

    Source: van der Maaten and Hinton 2008 (JMLR 9).
    """
    if len(vectors) >= FEWEST:
        tsne = load_manifold()(metric="cosine", perplexity=min(30, len(vectors) // 4), random_state=0)
        return np.asarray(tsne.fit_transform(vectors), np.float64)
    centred = vectors.astype(np.float64) - vectors.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    points = centred @ axes[:2].T
    return np.pad(points, ((0, 0), (0, 2 - points.shape[1])))


def embedding_map(vectors: FloatArray, labels: IntArray, sources: Sequence[str]) -> Html:
    """Clips (n, d) by source, strangers (label -1) among them; of very many a part, drawn evenly by source."""
    chosen = np.argsort(labels, kind="stable")
    chosen = chosen[np.unique(np.linspace(0, len(chosen) - 1, min(len(chosen), MOST)).astype(int))]
    points, shown = plane(vectors[chosen]), labels[chosen]
    few = len(sources) <= FEW
    uri = drawn(lambda axes: _paint(axes, points, shown, sources), (5.6, 4.6) if few else (10.0, 8.0))
    method = "t-SNE" if len(chosen) >= FEWEST else "principal axes"
    caption = (
        f"Map of {len(chosen)} clips by {method}: near means alike, distances between far groups mean nothing. "
        "Crosses are strangers."
    )
    return picture(
        uri, f"Map of embeddings by source, strangers as crosses, {method}", caption, "plot" if few else "wide"
    )


def _paint(axes: "Axes", points: NDArray[np.float64], labels: IntArray, sources: Sequence[str]) -> None:
    """Points (n, 2) in a colour and a mark a source, each source's name at its most central clip."""
    strange = labels < 0
    axes.scatter(points[strange, 0], points[strange, 1], s=22, marker="x", color="#5b6670", linewidths=1)
    for k in np.unique(labels[~strange]):
        own, colour = points[labels == k], PALETTE[k % len(PALETTE)]
        mark = MARKS[k // len(PALETTE) % len(MARKS)]
        axes.scatter(own[:, 0], own[:, 1], s=20, marker=mark, color=colour, alpha=0.8, linewidths=0)
        middle = own[np.abs(own - np.median(own, axis=0)).sum(axis=1).argmin()]
        name = shortened(sources[k])
        _outlined(axes.annotate(name, middle, (0, 4), textcoords="offset points", ha="center", color=colour))
    axes.set_axis_off()


def _outlined(text: "Text") -> None:
    """Keep a name legible over points."""
    from matplotlib.patheffects import withStroke

    text.set_path_effects([withStroke(linewidth=3, foreground="white")])
