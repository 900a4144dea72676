"""The one place where audio is found, opened, decoded, mixed to mono and resampled."""

from earwitness.audio.files import find_clips, is_audio, printable
from earwitness.audio.resampling import Resampler, resampled
from earwitness.audio.stream import AudioStream, Fallback, open_audio, read_clip

__all__ = [
    "AudioStream",
    "Fallback",
    "Resampler",
    "find_clips",
    "is_audio",
    "open_audio",
    "printable",
    "read_clip",
    "resampled",
]
