"""Features to one vector a window: networks that learn, a projection in closed form, statistics of no learning."""

from collections.abc import Iterable

from earwitness import hookimpl
from earwitness.contracts import Embedder, FittedEmbedder, LearnedEmbedder
from earwitness_embedders.cnn1d import Cnn1d
from earwitness_embedders.ecapa import Ecapa
from earwitness_embedders.resnet import ResNet18
from earwitness_embedders.stats import Stats
from earwitness_embedders.wccn import Wccn

__all__ = ["Cnn1d", "Ecapa", "ResNet18", "Stats", "Wccn", "register_embedders"]


@hookimpl
def register_embedders() -> Iterable[type[Embedder] | type[FittedEmbedder] | type[LearnedEmbedder]]:
    """Return the embedder classes of this plugin."""
    return (Cnn1d, Ecapa, ResNet18, Stats, Wccn)
