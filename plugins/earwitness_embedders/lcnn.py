"""`lcnn`: a light convolutional network, which lets the larger of two maps pass."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Lcnn:
    """Convolutions whose channels compete in pairs: max-feature-map y_k = max(x_k, x_(k + c)) over 2c channels.

    Wu et al., A light CNN for deep face representation with noisy labels, IEEE TIFS 13(11), 2018, in the layers that
    Lavrentyeva et al., STC antispoofing systems for the ASVspoof2019 challenge, Interspeech 2019, took to speech, and
    Yan et al., System fingerprint recognition for deepfake audio, 2023, to attribution: nine convolutions of 5, 1, 3,
    1, 3, 1, 3, 1 and 3, four halvings of both axes, a full layer of max-feature-maps. Theirs reads all places of
    clips of one length, which takes it to 10.2 million parameters; ours the mean over frames, so that a window may
    have any length.

    Published training: Adam 1e-3 with linear decay, batches of 128, 100 epochs.

    Args:
        width: Channels of the first stage after competition; the others have 3/2, 2 and 1 times as many.
        dropout: Share of units left out of a step of training, before the full layer.
        dim: Length of the embedding.
    """

    name: ClassVar[str] = "lcnn"
    width: int = 32
    dropout: float = 0.75
    dim: int = 80

    def network(self, dims: int) -> "torch.nn.Module":
        """A fresh network (B, frames, dims) -> (B, dim)."""
        from earwitness_embedders._lcnn_torch import Network

        return Network(dims, self.width, self.dropout, self.dim)
