"""What the networks over Gaussian supervectors share, and the layers of `gsv_cnn`."""

from collections.abc import Sequence
from typing import cast

from torch import Tensor, nn

from earwitness.errors import PipelineError


class GsvNetwork(nn.Module):
    """(B, 1, components * width) -> (B, dim)."""

    def __init__(self, dims: int, components: int, widths: Sequence[int], dim: int) -> None:
        super().__init__()
        if dims % components or min(components, dims // components) < 2 ** len(widths):
            raise PipelineError(
                f"gsv_cnn reads a supervector of {components} components, and the frontend gives {dims} values: "
                "choose 'frontend: gsv' with as many components"
            )
        self.shape = components, dims // components
        self.normalise = nn.BatchNorm1d(dims)
        self.stages = image_stages(widths)
        self.project = nn.Linear(image_places(self.shape, widths), dim)

    def forward(self, features: Tensor) -> Tensor:
        """(B, 1, components * width) -> (B, dim)."""
        image = self.normalise(features.mean(dim=1)).unflatten(1, self.shape).unsqueeze(1)
        return cast(Tensor, self.project(self.stages(image).flatten(1)))


class Parted(nn.Module):
    """Rows of `gsv_mfcc` apart, each value of the supervector and each dim of the frames normalised."""

    def __init__(self, dims: int, components: int, factors: int = 0) -> None:
        super().__init__()
        self.components, self.factors = components, factors
        self.first_frame = components - (-factors // dims)
        self.supervector: nn.Module = nn.BatchNorm1d(components * dims)
        self.frames: nn.Module = nn.BatchNorm1d(dims)

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, rows, dims) -> supervector (B, components * dims), i-vector (B, factors), frames (B, frames, dims)."""
        supervector = self.supervector(rows[:, : self.components].flatten(1))
        factors = rows[:, self.components : self.first_frame].flatten(1)[:, : self.factors]
        frames = self.frames(rows[:, self.first_frame :].transpose(1, 2)).transpose(1, 2)
        return supervector, factors, frames


def image_stages(widths: Sequence[int]) -> nn.Sequential:
    """Convolutions of 3x3, normalised, rectified, each followed by a halving of both axes."""
    layers: list[nn.Module] = []
    for before, after in zip((1, *widths[:-1]), widths, strict=True):
        layers += [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)


def image_places(shape: tuple[int, int], widths: Sequence[int]) -> int:
    """Values that `image_stages` leave of an image of so many rows and columns."""
    return widths[-1] * (shape[0] >> len(widths)) * (shape[1] >> len(widths))
