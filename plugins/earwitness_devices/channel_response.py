"""`channel_response`: how a device colours speech."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from earwitness.types import FloatArray
from earwitness_devices._frames import frame_lengths, log_bands, sort_frames
from earwitness_devices._speech_reference import speech_reference


@dataclass(frozen=True, slots=True)
class ChannelResponse:
    """The long-term spectrum of speech frames over that of speech at large, without its level.

    r[m] = ln mean exp(x_t[m]) - L[m], less its mean over m,

    x_t[m] the log power of speech frame t in band m, L the average long-term spectrum of speech (Byrne et al.,
    JASA 96(4), 1994). Talker and room are in it as well as the device, which is why it does not stand alone. Blind
    estimation of a channel from average speech: Gaubitch, Brookes and Naylor, Blind channel magnitude response
    estimation in speech using spectrum classification, IEEE TASLP 21(10), 2013.

    Args:
        frame_ms: Length of a frame.
        hop_ms: From one frame to the next.
        bands: Equal bands up to half the rate.
    """

    name: ClassVar[str] = "channel_response"
    frame_ms: float = 32.0
    hop_ms: float = 16.0
    bands: int = 128

    def __call__(self, samples: FloatArray, rate: int) -> FloatArray:
        """(B, n) -> (B, 1, bands).

        Raises:
            OptionError: More bands than the frame bears.
        """
        frame, hop = frame_lengths(rate, self.frame_ms, self.hop_ms)
        spectra = np.stack([_spoken(log_bands(window, frame, hop, self.bands)) for window in samples])
        response: FloatArray = spectra - speech_reference(self.bands, rate)
        response -= response.mean(axis=1, keepdims=True)
        return response[:, None]


def _spoken(x: FloatArray) -> FloatArray:
    """Log of the mean power of speech frames: (frames, bands) -> (bands,)."""
    _, speech = sort_frames(x)
    return np.asarray(np.log(np.exp(x[speech]).mean(axis=0)))
