"""The known lattices: which native rate and hop, or which codec's frames, put lines at multiples of a spacing."""

from dataclasses import dataclass
from math import lcm
from typing import Literal

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Lattice:
    """Lines at multiples of rate / hop.

    Args:
        kind: What leaves it: the upsampling of a decoder, or the frames of a lossy codec.
        pairs: Native rate in Hz and hop in samples, the most usual first; all have one spacing.
        seen: Published systems in whose clips it was met; for a codec, its name.
    """

    kind: Literal["upsampling", "codec"]
    pairs: tuple[tuple[int, int], ...]
    seen: tuple[str, ...] = ()

    @property
    def spacing(self) -> float:
        """Hz from line to line."""
        rate, hop = self.pairs[0]
        return rate / hop

    @property
    def stages(self) -> tuple[int, ...]:
        """Divisors of the hop up to 64: each d, that one stage of upsampling may light every d-th line.

        Factors u_1, u_2, u_3, their product the hop, light all lines with the first stage, multiples of u_1 with the
        second, of u_1 u_2 with the third: the pattern over k names the stages.
        """
        hops = lcm(*(hop for _, hop in self.pairs))
        return tuple(d for d in range(1, 65) if hops % d == 0)

    @property
    def reading(self) -> str:
        """`24 kHz, hop 300 (or 16 kHz, hop 200; 48 kHz, hop 600)`; of a codec `MP3 at 44.1 kHz, frames of 576`."""
        if self.kind == "codec":
            ((rate, hop),) = self.pairs
            return f"{self.seen[0]} at {rate / 1000:g} kHz, frames of {hop}"
        first, *others = (f"{rate / 1000:g} kHz, hop {hop}" for rate, hop in self.pairs)
        return f"{first} (or {'; '.join(others)})" if others else first

    def is_kin(self, other: "Lattice") -> bool:
        """Whether all lines of one are lines of the other, of the same kind."""
        low, high = sorted((self.spacing, other.spacing))
        return self.kind == other.kind and abs(high / low - round(high / low)) < 1e-9

    def frequencies(self, limit: float) -> NDArray[np.float64]:
        """Lines k x spacing up to `limit` Hz, k from 1: (K,)."""
        return np.arange(1, int(limit / self.spacing) + 1) * np.float64(self.spacing)


UPSAMPLING = (
    Lattice("upsampling", ((22050, 256), (44100, 512)), ("HiFi-GAN", "VITS", "Piper", "Matcha-TTS", "Supertonic")),
    Lattice("upsampling", ((24000, 300), (16000, 200), (48000, 600)), ("Kokoro", "KittenTTS", "OpenAI")),
    Lattice("upsampling", ((24000, 256), (48000, 512)), ("UnivNet", "BigVGAN", "VOICEVOX", "Tortoise")),
    Lattice("upsampling", ((24000, 320),), ("EnCodec",)),
    Lattice("upsampling", ((16000, 128), (24000, 192), (48000, 384))),
    Lattice("upsampling", ((16000, 256),)),
    Lattice("upsampling", ((16000, 240), (24000, 360))),
    Lattice("upsampling", ((22050, 320),)),
    Lattice("upsampling", ((22050, 300), (44100, 600))),
    Lattice("upsampling", ((22050, 200), (44100, 400))),
)
"""Those with systems were measured in clips that these published; the others are usual settings of toolkits."""

CLOCKED = (
    Lattice("upsampling", ((24000, 240), (16000, 160), (48000, 480)), ("VALL-E",)),
    Lattice("upsampling", ((24000, 480), (16000, 320), (48000, 960))),
)
"""Lattices of mains and clocks, too, which three of 126 LibriSpeech readers have: features, and no evidence."""

HALVED = Lattice("upsampling", ((24000, 600), (16000, 400)))
"""The lattice of 80 Hz once more where frames are doubled first, as in Kokoro: its odd lines are the fainter ones."""

MP3 = tuple(Lattice("codec", ((rate, 576),), ("MP3",)) for rate in (44100, 48000, 24000, 22050, 16000))
"""Granules of MPEG audio layer III (ISO/IEC 11172-3 and 13818-3)."""

AAC = tuple(Lattice("codec", ((rate, 1024),), ("AAC",)) for rate in (44100, 48000, 32000, 24000, 22050))
"""Frames of AAC (ISO/IEC 14496-3)."""

OPUS = Lattice("codec", ((48000, 960),), ("Opus",))
"""Frames of 20 ms (RFC 6716)."""

SUBBAND = 18
"""Every 18th line of an MP3 lattice: its 32 subbands hold 18 values a granule, and lie rate / 64 apart."""

CONFUSABLE = (100.0, 22050 / 64, 24000 / 64, 16000 / 64)
"""Hz at whose multiples tones stand in genuine recordings: what ticks a hundred or a thousand times a second, as mains,
converters and USB do, and the subbands of MP3 at any of its rates."""
