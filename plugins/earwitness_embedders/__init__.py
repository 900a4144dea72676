"""Features to one vector a window: networks that learn, and statistics that don't."""

from collections.abc import Iterable

from earwitness import hookimpl
from earwitness.contracts import Embedder, LearnedEmbedder
from earwitness_embedders.ecapa import Ecapa
from earwitness_embedders.resnet import ResNet18
from earwitness_embedders.stats import Stats

__all__ = ["Ecapa", "ResNet18", "Stats", "register_embedders"]


@hookimpl
def register_embedders() -> Iterable[type[Embedder] | type[LearnedEmbedder]]:
    """Return the embedder classes of this plugin."""
    return (Ecapa, ResNet18, Stats)
