"""`codec`: through a lossy codec and back, in this process and in memory."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import soxr

from earwitness.errors import OptionError
from earwitness.types import FloatArray
from earwitness_degradations._coder_table import CODERS
from earwitness_degradations._rates import returned


@dataclass(frozen=True, slots=True)
class Codec:
    """Encode and decode with one of FFmpeg's codecs, through PyAV; what comes back is in time with the input.

    The sound is resampled (soxr HQ) to the codec's own rate where it can't take the clip's: 8 kHz for the
    telephone codecs, 16 kHz for mSBC, 48 kHz for Opus, otherwise the next rate up. Each codec's delay is known and
    taken out.

    Args:
        codec: aac, amr, flac, g723 (G.723.1), mp3, msbc (wide-band hands-free sets), mulaw (G.711), opus, realaudio
            (14.4) or wma (version 2).
        bitrates: Kilobits a second, one drawn for each clip; none means those usual for the codec. Codecs
            without a choice (flac, msbc, mulaw, realaudio) take none.
        probability: How often it happens at all.

    Raises:
        OptionError: No such codec, or a bit rate that it can't have.
    """

    name: ClassVar[str] = "codec"
    codec: str = "mp3"
    bitrates: tuple[float, ...] = ()
    probability: float = 1.0

    def __post_init__(self) -> None:
        if self.codec not in CODERS:
            raise OptionError(f"there is no codec '{self.codec}': choose one of {', '.join(sorted(CODERS))}")
        if self.bitrates and not CODERS[self.codec].bitrates:
            raise OptionError(f"codec '{self.codec}' has no choice of bit rates: leave `bitrates` out")
        if any(not rate > 0 for rate in self.bitrates):
            raise OptionError(f"bit rates of codec '{self.codec}' must be positive, in kilobits a second")

    def __call__(self, samples: FloatArray, rate: int, rng: np.random.Generator) -> FloatArray:
        """(n,) -> (n,)."""
        from earwitness_degradations._coders import transcode

        if rng.random() >= self.probability or not samples.size:
            return samples
        coder = CODERS[self.codec]
        usual = self.bitrates or coder.bitrates
        bit_rate = round(1000 * float(rng.choice(usual))) if usual else None
        coder_rate = coder.rate_for(rate)
        sent = soxr.resample(samples, rate, coder_rate)
        received = transcode(coder, sent, coder_rate, bit_rate)
        return returned(received, coder_rate, rate, len(samples))
