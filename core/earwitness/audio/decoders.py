"""Decoders: libsndfile for what it reads, FFmpeg (inside PyAV's wheel) for the rest, chosen by content.

Both give mono float32 blocks at the native rate. Only an open file is handed to them, never its name: odd
names can't hurt, the extension can't mislead, and a playlist can't make FFmpeg open another file.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Protocol

import numpy as np
import soundfile

from earwitness.errors import AudioError
from earwitness.types import Clip, FloatArray

__all__ = ["BLOCK", "ClipDecoder", "Decoder", "open_decoder"]

BLOCK = 65536
"""Samples in a block: at the usual rates some seconds, which still fit a core's cache."""

_DECLARING = {"mov", "matroska", "asf", "flv", "avi"}
"""FFmpeg formats whose header states a duration; for others FFmpeg guesses one from the bit rate."""


class Decoder(Protocol):
    """An open recording. `rate` (Hz) and `channels` are sure once the first block is there.

    `declared` is the length in seconds that the header promises, if it does.
    """

    container: str
    codec: str
    rate: int
    channels: int
    declared: float | None
    warnings: tuple[str, ...]

    def blocks(self) -> Iterator[FloatArray]:
        """Mono blocks (n,) at the native rate, in order; faults in the middle go to `warnings`."""
        ...

    def close(self) -> None:
        """Let go of the library's handle; the file itself stays open."""
        ...


def open_decoder(file: BinaryIO, name: str) -> Decoder:
    """The decoder that recognises the content of `file`; `name` is for messages.

    Raises:
        AudioError: The content is no audio, or holds no audio stream.
    """
    try:
        return SoundFileDecoder(file)
    except soundfile.SoundFileError:
        file.seek(0)
        return FFmpegDecoder(file, name)


class SoundFileDecoder:
    """WAV, FLAC, Ogg, MP3, AIFF, CAF, AU ... by libsndfile.

    Raises:
        soundfile.SoundFileError: libsndfile does not know this content.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = soundfile.SoundFile(file.fileno(), closefd=False)
        self.container = self._file.format.lower()
        self.codec = self._file.subtype.lower()
        self.rate: int = self._file.samplerate
        self.channels: int = self._file.channels
        self.declared: float | None = self._file.frames / self.rate
        # libsndfile mends the header of a shortened WAV or AIFF and says so in its log alone.
        shortened = "(should be" in self._file.extra_info
        self.warnings: tuple[str, ...] = ("cut short: the header promises more",) if shortened else ()

    def blocks(self) -> Iterator[FloatArray]:
        """Mono blocks (n,) at the native rate."""
        frames = max(1, BLOCK // self.channels)
        while len(block := self._read(frames)):
            yield mono(block.T)

    def _read(self, frames: int) -> FloatArray:
        # NaN marks what was not written: on a fault libsndfile does not say how far it came.
        buffer = np.full((frames, self.channels), np.nan, np.float32)
        try:
            with _hushed(self.container):
                block: FloatArray = self._file.read(out=buffer)
        except soundfile.SoundFileError:
            self.warnings += ("damaged: decoded up to the fault",)
            unread = np.isnan(buffer[:, 0])
            return buffer[: unread.argmax()] if unread.any() else buffer
        return block

    def close(self) -> None:
        """Let go of libsndfile's handle."""
        self._file.close()


@contextmanager
def _hushed(container: str) -> Iterator[None]:
    """Keep libmpg123, inside libsndfile, from writing its own remarks on MP3 to standard error."""
    if container != "mp3":
        yield
        return
    kept, void = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(void, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(void)


class FFmpegDecoder:
    """The first audio stream of anything FFmpeg reads: MP4, MOV, AVI, FLV, WMA, AMR, AAC, WebM ...

    Raises:
        AudioError: FFmpeg does not know this content, or finds no audio stream in it.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        import av

        try:
            # Custom reading needs no protocol; without one, playlists can't reach other files or the network.
            self._container: Any = av.open(file, options={"protocol_whitelist": "none"})
        except (av.FFmpegError, ValueError) as error:
            raise AudioError(
                f"{name} is not audio that can be decoded, or is damaged at its start: "
                "convert it to WAV or FLAC, or fetch it again"
            ) from error
        if not self._container.streams.audio:
            self._container.close()
            raise AudioError(f"{name} holds no sound, only other media: give a file with an audio stream")
        self._stream = self._container.streams.audio[0]
        self.container = self._container.format.name.split(",")[0]
        self.codec: str = self._stream.codec_context.name
        self.rate: int = self._stream.rate
        self.channels: int = self._stream.channels
        self.declared = self._declared()
        self.warnings: tuple[str, ...] = ()

    def _declared(self) -> float | None:
        if self.container not in _DECLARING:
            return None
        if self._stream.duration is not None:
            return float(self._stream.duration * self._stream.time_base)
        alone = len(self._container.streams) == 1 and self._container.duration is not None
        return self._container.duration / 1e6 if alone else None

    def blocks(self) -> Iterator[FloatArray]:
        """Mono blocks (n,) at the native rate."""
        import av

        # FFmpeg's own queue joins its many short frames before NumPy sees them, sparing an array each.
        queue, to_float = av.AudioFifo(), av.AudioResampler(format="fltp")
        for frame in self._frames():
            frame.pts = None
            try:
                queue.write(frame)
            except ValueError:
                self._warn("changes its rate or channels midway: decoded up to there")
                break
            if queue.samples >= BLOCK:
                yield self._mono(queue.read(BLOCK), to_float)
        if queue.samples:
            yield self._mono(queue.read(), to_float)

    def _mono(self, frame: Any, to_float: Any) -> FloatArray:
        # Only decoded frames tell the true rate of HE-AAC; the header may state half of it.
        self.rate, self.channels = frame.sample_rate, frame.layout.nb_channels
        return mono(np.concatenate([piece.to_ndarray() for piece in to_float.resample(frame)], axis=1))

    def _frames(self) -> Iterator[Any]:
        """Decoded frames; a bad packet is passed over."""
        import av

        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except (av.FFmpegError, ValueError):
                self._warn("damaged: decoded up to the fault")
                return
            if packet is None:
                return
            try:
                yield from packet.decode()
            except (av.FFmpegError, ValueError):
                self._warn("damaged: parts that can't be decoded were passed over")

    def _warn(self, text: str) -> None:
        if text not in self.warnings:
            self.warnings += (text,)

    def close(self) -> None:
        """Let go of FFmpeg's handle."""
        self._container.close()


class ClipDecoder:
    """A clip that a plugin has read, in the shape of a decoder."""

    def __init__(self, clip: Clip) -> None:
        self._samples = clip.samples
        self.container, self.codec = clip.origin.container, clip.origin.codec
        self.rate, self.channels = clip.rate, clip.origin.channels
        self.declared: float | None = None
        self.warnings: tuple[str, ...] = ()

    def blocks(self) -> Iterator[FloatArray]:
        """Mono blocks (n,) at the native rate."""
        for start in range(0, len(self._samples), BLOCK):
            yield np.asarray(self._samples[start : start + BLOCK], np.float32)

    def close(self) -> None:
        """Nothing is held."""


def mono(planes: Iterable[FloatArray]) -> FloatArray:
    """The mean over channels: (channels, n) -> (n,).

    Channel by channel, so that every container of one recording gives the same bits whatever its blocks;
    ten times faster than a mean over a short axis, too.
    """
    first, *others = planes
    if not others:
        return np.ascontiguousarray(first)
    total = first.copy()
    with np.errstate(invalid="ignore", over="ignore"):
        for plane in others:
            total += plane
    total *= np.float32(1 / (1 + len(others)))
    return total
