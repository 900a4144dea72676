"""The built-in open-set rules, one file each."""

from collections.abc import Iterable

import pluggy

from earwitness.contracts import Scorer, ScorerPanel
from earwitness_scorers.auto import Auto
from earwitness_scorers.cell_lda import CellLda
from earwitness_scorers.energy import Energy
from earwitness_scorers.gen import Gen
from earwitness_scorers.knn import NearestNeighbours
from earwitness_scorers.mahalanobis import Mahalanobis
from earwitness_scorers.max_logit import MaxLogit
from earwitness_scorers.nnguide import NnGuide
from earwitness_scorers.openmax import OpenMax
from earwitness_scorers.plda import Plda
from earwitness_scorers.rmds import Rmds
from earwitness_scorers.softmax import Softmax
from earwitness_scorers.softmax_energy import SoftmaxEnergy
from earwitness_scorers.vim import Vim
from earwitness_scorers.zmin import ZMin

__all__ = [
    "Auto",
    "CellLda",
    "Energy",
    "Gen",
    "Mahalanobis",
    "MaxLogit",
    "NearestNeighbours",
    "NnGuide",
    "OpenMax",
    "Plda",
    "Rmds",
    "Softmax",
    "SoftmaxEnergy",
    "Vim",
    "ZMin",
]

hookimpl = pluggy.HookimplMarker("earwitness")


@hookimpl
def register_scorers() -> Iterable[type[Scorer | ScorerPanel]]:
    """The rules of this package: over logits, over distances, and the panel of several."""
    over_logits = (Softmax, OpenMax, Energy, MaxLogit, Gen, SoftmaxEnergy, NnGuide, Vim)
    over_distances = (NearestNeighbours, Mahalanobis, Rmds, CellLda, Plda, ZMin)
    return [*over_logits, *over_distances, Auto]
