"""Pictures in a page: matplotlib's as data URIs, SVG or, where every point has its colour, WebP; all in one style."""

import base64
import io
import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from earwitness.plotting import load_pyplot

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["data_uri", "drawn", "shortened"]

LOOK = {
    "axes.edgecolor": "#5b6670",
    "axes.labelcolor": "#1d2329",
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": 9.0,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "svg.hashsalt": "earwitness",  # the same figures, the same bytes
    "xtick.color": "#5b6670",
    "ytick.color": "#5b6670",
}
CHART = (4.2, 3.1)
"""Width and height in inches of a chart that is still read on a phone."""
LONGEST = 28
"""Letters of a name in a picture."""
SAVED: Mapping[str, Any] = {
    "svg": {"metadata": {"Date": None}, "transparent": True},
    "webp": {"pil_kwargs": {"quality": 85}},
}
TYPES = {"svg": "image/svg+xml", "webp": "image/webp"}


def drawn(
    paint: "Callable[[Axes], None]", size: tuple[float, float] = CHART, kind: Literal["svg", "webp"] = "svg"
) -> str:
    """What `paint` puts into one pair of axes of a size in inches, as a data URI."""
    pyplot, buffer = load_pyplot(), io.BytesIO()
    with pyplot.rc_context(LOOK), warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", "Glyph .* missing from"
        )  # a name in a script the font lacks is drawn as boxes
        figure, axes = pyplot.subplots(figsize=size, layout="constrained")
        paint(axes)
        figure.savefig(buffer, format=kind, dpi=180, **SAVED[kind])
        pyplot.close(figure)
    return data_uri(buffer.getvalue(), TYPES[kind])


def data_uri(data: bytes, kind: str) -> str:
    """Bytes of a media type as the address of themselves."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def shortened(name: str) -> str:
    """A name as long as a picture can bear."""
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
