"""`cnn1d`: convolutions along frequency over the statistics of a window."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Cnn1d:
    """Residual convolutions over frequency, then full layers that know where in frequency they look.

    The mean over frames is taken for curves over `bands` each, side by side, and what is left over for numbers. Curves
    are the channels of a residual network in one dimension (He et al., Deep residual learning for image recognition,
    CVPR 2016) that halves the bands three times; its places, not averaged, and the numbers go through a full layer
    with dropout (Srivastava et al., JMLR 15, 2014) to the embedding. A bump of a spectrum is learned once, wherever
    it stands, which full layers alone learn band by band.

    Args:
        bands: Values of a curve.
        width: Channels of the first stage; the others have 1.5 and 2 times as many.
        hidden: Units of the full layer.
        dropout: Share of units left out of a step of training.
        dim: Length of the embedding.
    """

    name: ClassVar[str] = "cnn1d"
    bands: int = 128
    width: int = 64
    hidden: int = 512
    dropout: float = 0.15
    dim: int = 128

    def network(self, dims: int) -> "torch.nn.Module":
        """A fresh network (B, frames, dims) -> (B, dim).

        Raises:
            PipelineError: The frontend gives less than one curve.
        """
        from earwitness_embedders._cnn1d_torch import Curves

        return Curves(dims, self.bands, self.width, self.hidden, self.dropout, self.dim)
