"""`ssl`: an encoder of speech that learned without labels, from a folder of the user's."""

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, ClassVar

from earwitness.errors import MissingExtraError

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Ssl:
    """A self-supervised encoder, frozen or learned on, the sum of its layers by learned weights, attentive statistics.

    With h_lt what layer l says of frame t (layer 0 its input), and softmax over l and over t in turn,

        x_t = sum_l a_l h_lt,   w_t = softmax_t(V tanh(W x_t + b)),   m = sum_t w_t x_t,
        s^2 = sum_t w_t (x_t - m)^2,   e = P [m, s],

    a starting even: lower layers carry what a vocoder left, upper ones words. Encoders: wav2vec 2.0 (Baevski et al.,
    NeurIPS 2020) and XLS-R, HuBERT (Hsu et al., TASLP 29, 2021) and WavLM (Chen et al., JSTSP 16(6), 2022) for
    `waveform` at 16 kHz, each window made zero mean and unit deviation as they learned; w2v-BERT 2.0 for
    `{log_mel: {bands: 80}}`, each band so, two frames at a time (its own bands are Kaldi's, so let it learn on).
    Layers: Yang et al., SUPERB, Interspeech 2021; pooling: Okabe, Koshinaka and Shinoda, Interspeech 2018.

    The folder has a `config.json` and weights as safetensors, the way `transformers` saves them: other forms are not
    read, code in it is not run, and nothing is fetched. A trained model no longer needs it. There is no published
    regime among our source texts.

    Args:
        folder: Of the encoder.
        frozen: Whether the encoder stays as it is, and only what is on top of it learns.
        hidden: Units of the attention.
        dim: Length of the embedding.
    """

    name: ClassVar[str] = "ssl"
    folder: str = ""
    frozen: bool = True
    hidden: int = 128
    dim: int = 256

    def network(self, dims: int) -> "torch.nn.Module":
        """A network (B, samples, 1), or for w2v-BERT (B, frames, bands), -> (B, dim); only its top is fresh.

        Raises:
            MissingExtraError: The extra `ssl` isn't installed.
            MissingWeightsError: No folder is named.
            PipelineError: The folder holds no such encoder, or the frontend doesn't give what it reads.
        """
        if find_spec("transformers") is None:
            raise MissingExtraError("a self-supervised encoder", "ssl")
        from earwitness_embedders._ssl_torch import Network

        return Network(dims, self)
