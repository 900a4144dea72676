"""`crossscale`: convolutional LSTM over frames, LSTM over the clip, attention over what both have found."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from earwitness.errors import PipelineError

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class CrossScale:
    """ConvLSTM in one dimension, bidirectional LSTM and transformer encoders, for `tandem73`.

    Zeng, Zhao and Wang, Mobile recording device recognition based on cross-scale and multi-level representation
    learning, arXiv, 2024. Two ConvLSTM (Shi et al., NeurIPS 2015) slide `kernels` filters of 3, `strides` apart, over
    the features of each frame and remember along frames, * being a convolution and . a product of elements:

        i = s(W_ix * x_t + W_ih * h + W_ic . c + b_i),    f = s(W_fx * x_t + W_fh * h + W_fc . c + b_f),
        c' = f . c + i . tanh(W_gx * x_t + W_gh * h + b_g),
        o = s(W_ox * x_t + W_oh * h + W_oc . c' + b_o),   h' = o . tanh(c').

    The last states of a BiLSTM of `units` are then a row of 2 `units` numbers, which two encoders take for as many
    tokens of one number, with sin(place) added: a = LN(x + MultiHead(x)), y = LN(a + MLP(a)). A full layer gives the
    embedding.

    Published: 0.626 M parameters with 45 classes (ours: 0.635 M). That is what tokens of one number give (of 256
    numbers, the heads alone would bring a million), so it settles that reading; so does a convolution without
    padding. LN runs over the row, as the paper's formula has it: over a token's one number it would be constant.
    Features are normalised first, as for all networks here, since filter energies before the logarithm span
    decades.

    Published training: cross-entropy, Adam 1e-4, divided by 10 every 30 epochs, batches of 64, 100 epochs, clips split
    64 : 16 : 20. Ours is over cosines. To a second corpus, of 21 classes, it was carried with all frozen but the last
    full layer and softmax, at 1e-5, batches of 32, 300 epochs (87.9 %; all but softmax 86.2 %): `train --start` with
    `trained: [project, head]`, or `[head]`, as in the pipeline `crossscale-finetune`, and answers by that head.

    Args:
        kernels: Filters of each ConvLSTM; without any, the BiLSTM reads the features.
        strides: Features between two places of theirs, of each.
        units: Units of the BiLSTM, each way; with none the row is the last state of the ConvLSTM, or without these the
            mean frame.
        encoders: Transformer encoders, or none.
        heads: Heads of attention.
        head_dim: Length of a head's queries and keys.
        hidden: Units of an encoder's MLP.
        dim: Length of the embedding.
    """

    name: ClassVar[str] = "crossscale"
    kernels: tuple[int, ...] = (64, 32)
    strides: tuple[int, ...] = (3, 2)
    units: int = 128
    encoders: int = 2
    heads: int = 8
    head_dim: int = 64
    hidden: int = 128
    dim: int = 128

    def network(self, dims: int) -> "torch.nn.Module":
        """A fresh network (B, frames, dims) -> (B, dim).

        Raises:
            PipelineError: The frontend gives too few features to slide over, or `kernels` and `strides` don't pair.
        """
        if len(self.kernels) != len(self.strides):
            raise PipelineError("crossscale needs a stride for each ConvLSTM: give as many strides as kernels")
        from earwitness_embedders._crossscale_torch import Network

        return Network(dims, self)
