"""A tracer: lines at the multiples of one frequency, as the joints of frames of a fixed length leave them."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import erfc
from typing import ClassVar

import numpy as np

from earwitness import hookimpl
from earwitness.contracts import Tracer
from earwitness.types import Clip, Trace


@dataclass(frozen=True, slots=True)
class AcmeTracer:
    """z = sqrt(K) mean d / std d, d_k the log power at line k over that of the bins around it.

    Args:
        spacing: From line to line, in Hz.
        least: The z from which on there is a trace.
    """

    name: ClassVar[str] = "acme"
    spacing: float = 80.0
    least: float = 5.0

    def __call__(self, clip: Clip) -> tuple[Trace, ...]:
        """Lines in the spectrum of the whole clip."""
        seconds = len(clip.samples) / clip.rate
        lines = np.arange(1, int(clip.rate / 2 / self.spacing))
        bins = np.rint(lines * self.spacing * seconds).astype(int)  # (K,)
        if len(lines) < 8 or self.spacing * seconds < 40 or not clip.samples.any():
            return ()
        power = np.log(np.abs(np.fft.rfft(clip.samples * np.hanning(len(clip.samples)))) ** 2 + 1e-12)
        around = np.stack([power[bins + k] for k in (-9, -7, -5, 5, 7, 9)]).mean(axis=0)
        above = power[bins] - around  # (K,)
        z = float(np.sqrt(len(lines)) * above.mean() / max(above.std(), 1e-6))
        if z < self.least:
            return ()
        loud = tuple(lines[above > above.mean()].tolist())
        return (Trace("upsampling", self.spacing, "acme", z, erfc(z / 2**0.5) / 2, loud, 0.0, seconds),)


@hookimpl
def register_tracers() -> Iterable[type[Tracer]]:
    """Return the tracer."""
    return [AcmeTracer]
