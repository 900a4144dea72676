"""The built-in open-set rules, one file each."""

from collections.abc import Iterable

import pluggy

from earwitness.contracts import Scorer
from earwitness_scorers.cell_lda import CellLda
from earwitness_scorers.knn import NearestNeighbours
from earwitness_scorers.mahalanobis import Mahalanobis
from earwitness_scorers.openmax import OpenMax
from earwitness_scorers.softmax import Softmax

__all__ = ["CellLda", "Mahalanobis", "NearestNeighbours", "OpenMax", "Softmax"]

hookimpl = pluggy.HookimplMarker("earwitness")


@hookimpl
def register_scorers() -> Iterable[type[Scorer]]:
    """The rules of this package."""
    return [Softmax, OpenMax, NearestNeighbours, Mahalanobis, CellLda]
