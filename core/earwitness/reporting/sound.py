"""What a page lets people hear and see of a clip: a player and a spectrogram."""

import io
from typing import TYPE_CHECKING

import numpy as np
import soundfile

from earwitness.audio import Fallback, open_audio, resampled
from earwitness.listening import Excerpt
from earwitness.reporting.drawing import data_uri, drawn
from earwitness.reporting.html import Html, picture, tag
from earwitness.types import Clip, FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["beginning", "levels", "player", "spectrogram"]

FRAME, HOP = 0.032, 0.008
"""Seconds of a frame of a spectrogram, and from one to the next."""
DEPTH = 70.0
"""dB under its strongest cell at which a spectrogram is black."""
HEARD = 24000
"""The highest rate in Hz at which a page plays; a page holds several clips and is sent by mail."""


def beginning(excerpt: Excerpt, seconds: float, fallback: Fallback | None = None) -> Clip:
    """The first seconds of what an excerpt names; the origin is that of the whole of it.

    Raises:
        AudioError: It can't be heard.
    """
    with open_audio(excerpt.path, fallback, start=excerpt.start, end=excerpt.end) as audio:
        kept, wanted = [], round(seconds * audio.rate)
        for block in audio.blocks():
            kept.append(block[:wanted])
            wanted -= len(kept[-1])
        return Clip(np.concatenate(kept), audio.rate, audio.origin)


def player(clip: Clip) -> Html:
    """The clip to be played, re-encoded as 16-bit mono FLAC."""
    sound, buffer = resampled(clip, min(clip.rate, HEARD)), io.BytesIO()
    soundfile.write(buffer, np.clip(sound.samples, -1.0, 1.0), sound.rate, format="FLAC", subtype="PCM_16")
    return tag("audio", controls="", preload="metadata", src=data_uri(buffer.getvalue(), "audio/flac"))


def levels(clip: Clip) -> FloatArray:
    """Level of each frequency and frame in dB under the strongest, (bins, frames), by a Hann window of 32 ms."""
    frame, hop = round(FRAME * clip.rate), round(HOP * clip.rate)
    padded = np.pad(clip.samples, (0, max(0, frame - len(clip.samples))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, frame)[::hop]  # (frames, n)
    power = np.square(np.abs(np.fft.rfft(frames * np.hanning(frame).astype(np.float32)))).T
    decibels = 10 * np.log10(np.maximum(power, 1e-20) / max(power.max(), 1e-20))
    return np.asarray(np.maximum(decibels, -DEPTH), np.float32)


def spectrogram(clip: Clip, caption: object, size: tuple[float, float] = (3.6, 1.9)) -> Html:
    """Time, frequency and level of a clip as a picture."""
    seconds, top = len(clip.samples) / clip.rate, clip.rate / 2000

    def paint(axes: "Axes") -> None:
        axes.imshow(levels(clip), origin="lower", aspect="auto", cmap="magma", extent=(0, seconds, 0, top))
        axes.set(xlabel="seconds", ylabel="kHz")

    alt = f"Spectrogram of {seconds:.1f} s from 0 to {top:.1f} kHz"
    return picture(drawn(paint, size, "webp"), alt, caption, "photo")
