"""The block of `se_resnet`."""

from typing import cast

from torch import Tensor, nn
from torch.nn import functional

from earwitness_embedders._resnet_torch import Block


class SqueezedBlock(Block):
    """relu(s(f(x)) f(x) + shortcut x), f two convolutions and s the weights of their channels."""

    def __init__(self, inputs: int, outputs: int, stride: int, reduction: int) -> None:
        super().__init__(inputs, outputs, stride)
        self.excite = SqueezeExcitation(outputs, max(1, outputs // reduction))

    def forward(self, image: Tensor) -> Tensor:
        """(B, inputs, h, w) -> (B, outputs, h / stride, w / stride)."""
        found = self.excite(self.second(functional.relu(self.first(image))))
        return functional.relu(found + self.shortcut(image))


class SqueezeExcitation(nn.Module):
    """Each channel times its weight, which the means of all channels decide."""

    def __init__(self, channels: int, units: int) -> None:
        super().__init__()
        self.weigh = nn.Sequential(nn.Linear(channels, units), nn.ReLU(), nn.Linear(units, channels), nn.Sigmoid())

    def forward(self, maps: Tensor) -> Tensor:
        """(B, c, h, w) -> (B, c, h, w)."""
        weights = self.weigh(maps.mean(dim=(2, 3)))
        return cast(Tensor, maps * weights[:, :, None, None])
