"""`lattice_profile`: how surprising each known lattice is in a clip, as a place among others."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from earwitness.types import FloatArray
from earwitness_cyclic._evidence import Lines, weigh
from earwitness_cyclic._lattices import AAC, CLOCKED, MP3, OPUS, UPSAMPLING, Lattice
from earwitness_cyclic._orders import BAND
from earwitness_cyclic._spectra import spectra

LATTICES = (*UPSAMPLING, *CLOCKED, *AAC, OPUS, *MP3)

STAGES = 4
"""Stages told apart, from the first divisor of the hop on: all lines, then fewer and fewer."""

LOWEST, HIGHEST = 300.0, 8000.0
"""Hz between which tones are evidence: what lies higher, not every clip has."""

LEAST_SECONDS = 0.25
"""A shorter clip is filled with silence to this."""


@dataclass(frozen=True, slots=True)
class LatticeProfile:
    """For each lattice, order and stage ln(1 + s), s its surprise in nats (`_evidence.py`); and one constant.

    A projection learned from some classes sees the lattices that tell these apart and no other. Here a clip with a
    lattice never met is as far from genuine speech as it is from Kokoro: distances between profiles, not directions,
    say what is known, so nearest neighbours read them. The constant, long beside the rest, keeps distances when
    vectors are brought to length one: for profiles p and q within a small angle, cos = 1 - |p - q|^2 / 2 c^2.

    Args:
        anchor: The constant c.
    """

    name: ClassVar[str] = "lattice_profile"
    anchor: float = 30.0

    def __call__(self, samples: FloatArray, rate: int) -> FloatArray:
        """(B, n) -> (B, 1, dims), dims the same for all rates and lengths."""
        least = round(LEAST_SECONDS * rate)
        padded = np.pad(samples, ((0, 0), (0, max(0, least - samples.shape[1]))))
        return np.stack([self._row(window, rate) for window in padded])[:, np.newaxis]

    def _row(self, samples: FloatArray, rate: int) -> FloatArray:
        """(n,) -> (dims,)."""
        sound = spectra(samples, rate)
        tones, beats = sound.first.up_to(HIGHEST), sound.second.bands(round(HIGHEST / BAND))
        orders = Lines.of(tones, LOWEST).scaled(), Lines.of(beats).scaled()
        nats = [_surprises(lines, lattice) for lines in orders for lattice in LATTICES]
        return np.append(np.log1p(np.concatenate(nats)), self.anchor).astype(np.float32)


def _surprises(lines: Lines, lattice: Lattice) -> FloatArray:
    """The surprise at each stage, (STAGES,); 0 where there are too few lines."""
    values = lines.at(lattice.spacing)
    found = [
        weigh(stage, np.ones((1, len(stage)), bool))
        for d in lattice.stages[:STAGES]
        if (stage := values[d - 1 :: d]).size
    ]
    return np.pad(np.array(found, np.float32), (0, STAGES - len(found))) / np.float32(lines.scale)
