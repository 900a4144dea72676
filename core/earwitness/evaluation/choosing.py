"""Which rule of a panel answers: the one that development clips bear out."""

from collections.abc import Sequence

import numpy as np

from earwitness.evaluation.metrics import oscr
from earwitness.fusion import STRANGER, Opinions
from earwitness.types import IntArray

__all__ = ["choose"]


def choose(opinions: Opinions, labels: IntArray, panels: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The expert of each panel with the largest area under its OSCR curve: right, and known from strangers.

    Ties go to the expert named first. Source of the curve: Dhamija, Guenther and Boult 2018 (arXiv 1811.04110).

    Args:
        opinions: What the experts of all panels, in their order, say of n clips.
        labels: (n,) index of the true source, STRANGER for none.
        panels: The names of each panel's experts.
    """
    figures = iter([_figure(opinions, labels, at) for at in range(opinions.knownness.shape[1])])
    tables = [{name: next(figures) for name in panel} for panel in panels]
    return tuple(max(table, key=table.__getitem__) for table in tables)


def _figure(opinions: Opinions, labels: IntArray, at: int) -> float:
    """OSCR of one expert over the clips that it answers for; -1 where that can't be told."""
    said = np.isfinite(opinions.knownness[:, at])
    known, strange = said & (labels != STRANGER), said & (labels == STRANGER)
    if not known.any() or not strange.any():
        return -1.0
    right = opinions.values[known, at].argmax(axis=1) == labels[known]
    return oscr(right, opinions.knownness[known, at], opinions.knownness[strange, at])
