"""`rawnet2`: from the waveform, through filters fixed beforehand, residual blocks and a recurrent layer."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class RawNet2:
    """Band-pass filters on the mel scale, six residual blocks with feature-map scaling, GRU; for `waveform`.

    Jung et al., Improved RawNet with feature map scaling for text-independent speaker verification using raw
    waveforms, Interspeech 2020, as Tak et al., End-to-end anti-spoofing with RawNet2, ICASSP 2021, made it the
    baseline of ASVspoof 2021, which Yan et al., System fingerprint recognition for deepfake audio, 2023, take: a bank
    that doesn't learn,

        h_k[n] = w[n] (2 f_(k+1) sinc(2 f_(k+1) n) - 2 f_k sinc(2 f_k n)),   w a Hamming window, f in cycles a sample,

    with f evenly spaced in mel up to half the rate (Ravanelli and Bengio, SincNet, SLT 2018); blocks of leaky
    rectifiers and two convolutions of 3, whose maps x are thirded in time, then scaled and shifted by
    s = sigmoid(W mean_t x + b):  y = s x + s; the last state of a GRU; a full layer.

    Published training: Adam 1e-3 with linear decay, batches of 128, 100 epochs, on 4 seconds.

    Args:
        rate: Rate of the waveform in Hz.
        taps: Length of a filter in samples.
        widths: Filters, which two blocks keep, and channels of the other four blocks.
        units: Units of the GRU.
        layers: Layers of the GRU.
        dim: Length of the embedding.
    """

    name: ClassVar[str] = "rawnet2"
    rate: int = 16000
    taps: int = 1025
    widths: tuple[int, int] = (20, 128)
    units: int = 1024
    layers: int = 3
    dim: int = 1024

    def network(self, dims: int) -> "torch.nn.Module":
        """A fresh network (B, samples, 1) -> (B, dim).

        Raises:
            PipelineError: The frontend gives features, not a waveform.
        """
        from earwitness_embedders._rawnet2_torch import Network

        return Network(dims, self)
