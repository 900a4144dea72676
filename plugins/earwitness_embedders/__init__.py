"""Features to one vector a window: networks, mixtures, a projection in closed form, statistics of no learning."""

from collections.abc import Iterable

from earwitness import hookimpl
from earwitness.contracts import AnchorEmbedder, Embedder, FittedEmbedder, LearnedEmbedder
from earwitness_embedders.cnn1d import Cnn1d
from earwitness_embedders.crossscale import CrossScale
from earwitness_embedders.ecapa import Ecapa
from earwitness_embedders.gmm import Gmm
from earwitness_embedders.gmm_ubm import GmmUbm
from earwitness_embedders.gsv_cnn import GsvCnn
from earwitness_embedders.lcnn import Lcnn
from earwitness_embedders.multifeature_fusion import MultifeatureFusion
from earwitness_embedders.noise_cnn import NoiseCnn
from earwitness_embedders.noise_mlp import NoiseMlp
from earwitness_embedders.pstnn import Pstnn
from earwitness_embedders.rawnet2 import RawNet2
from earwitness_embedders.rdtcn import RdTcn
from earwitness_embedders.resnet import ResNet18
from earwitness_embedders.se_resnet import SeResNet
from earwitness_embedders.ssl import Ssl
from earwitness_embedders.stats import Stats
from earwitness_embedders.wccn import Wccn
from earwitness_embedders.xvector import Xvector

__all__ = [
    "Cnn1d",
    "CrossScale",
    "Ecapa",
    "Gmm",
    "GmmUbm",
    "GsvCnn",
    "Lcnn",
    "MultifeatureFusion",
    "NoiseCnn",
    "NoiseMlp",
    "Pstnn",
    "RawNet2",
    "RdTcn",
    "ResNet18",
    "SeResNet",
    "Ssl",
    "Stats",
    "Wccn",
    "Xvector",
    "register_embedders",
]


@hookimpl
def register_embedders() -> Iterable[type[Embedder | FittedEmbedder | AnchorEmbedder | LearnedEmbedder]]:
    """Return the embedder classes of this plugin."""
    return (
        Cnn1d,
        CrossScale,
        Ecapa,
        Gmm,
        GmmUbm,
        GsvCnn,
        Lcnn,
        MultifeatureFusion,
        NoiseCnn,
        NoiseMlp,
        Pstnn,
        RawNet2,
        RdTcn,
        ResNet18,
        SeResNet,
        Ssl,
        Stats,
        Wccn,
        Xvector,
    )
