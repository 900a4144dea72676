"""`pstnn`: a branch for what a recording is like as a whole, a branch for its course, and attention to both."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from earwitness.errors import PipelineError

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Pstnn:
    """Parallel spatial and temporal networks over `gsv_mfcc`, fused by attention.

    Zeng, Zhu, Wang, Zhao and others, Spatial and temporal learning representation for end-to-end recording device
    identification, EURASIP JASP, 2021. The spatial branch reads the supervector: three full layers; or convolutions
    of 5x5 with 6, 16 and 40 filters, each pooled, and a full layer; or four residual blocks of four convolutions of
    3x3 with 16 filters behind normalisation, pooled. The temporal branch reads the frames: two LSTM or BiLSTM of 39
    and 78 units, the states of all frames side by side, a full layer. With a and b what the branches give, the fused
    row is w_1 . a + w_2 . b, w = softmax over the two of pool(conv([a, b])), conv of 3 along the row and pool the mean
    of 3; or a and b side by side. Full layers that get narrower, two of them, end at the embedding.

    Published training: Adam 1e-3, divided by 10 every 20 epochs, batches of 128, 200 epochs, batch normalisation,
    dropout; and a deep-and-shallow loss of three heads, 0.25 L_fused + 0.5 L_spatial + 0.25 L_temporal, as `losses` in
    a pipeline's training weigh them in this order (97.5 %; a single cross-entropy, without `losses`, 96.6 %).

    Published size: 114.765 M parameters, 6.230 M more for each 64 components. That is not the network that the text
    describes, which has 15.7 M: 64 frames of 156 states before a layer of 1024 are 10 M. With 650 frames, as the same
    authors have elsewhere, they are 104 M, and a first full layer as wide as the supervector of 64 components, 2496,
    grows by 2496 x 2496 = 6.230 M with 64 more: `frames: 650, hidden: [2496, 1024, 1024]` has 114.5 M. We keep to
    the text, at a seventh of the cost.

    Args:
        spatial: The branch over the supervector; none leaves it out.
        temporal: The branch over frames; none leaves it out.
        fusion: How branches meet.
        depth: Full layers behind the fusion; with none, what is fused is the embedding.
        components: Of the mixture.
        frames: Frames of a window that the frontend gives.
        hidden: Units of the full layers of the spatial branch; both branches end as wide as the last.
        dropout: Share of units left out of a step of training.
        dim: Length of the embedding.
    """

    name: ClassVar[str] = "pstnn"
    spatial: Literal["dnn", "cnn", "resnet", "none"] = "dnn"
    temporal: Literal["lstm", "bilstm", "none"] = "bilstm"
    fusion: Literal["attention", "concatenation"] = "attention"
    depth: int = 2
    components: int = 64
    frames: int = 64
    hidden: tuple[int, ...] = (1024, 1024, 1024)
    dropout: float = 0.3
    dim: int = 256

    def network(self, dims: int) -> "torch.nn.Module":
        """A fresh network (B, components + frames, dims) -> (B, dim), or without layers behind the fusion its width.

        Raises:
            PipelineError: Both branches are left out.
        """
        if self.spatial == self.temporal == "none":
            raise PipelineError("pstnn without a spatial and a temporal branch reads nothing: give it one or both")
        from earwitness_embedders._pstnn_torch import Network

        return Network(dims, self)
