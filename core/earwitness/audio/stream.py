"""An audio file as a stream of mono blocks at its native rate, and what is known of its origin."""

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator
from io import BufferedReader
from itertools import chain, islice
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from earwitness.audio.decoders import ClipDecoder, Decoder, open_decoder
from earwitness.audio.files import open_file, printable
from earwitness.audio.resampling import resampled
from earwitness.errors import AudioError, OptionError
from earwitness.types import Clip, FloatArray, Origin

__all__ = ["AudioStream", "Fallback", "open_audio", "read_clip"]

Fallback = Callable[[Path], Clip | None]
"""Reads at its native rate what core can't decode, or returns None: the hook `read_clip`."""


def open_audio(
    path: str | PathLike[str],
    fallback: Fallback | None = None,
    *,
    start: float | None = None,
    end: float | None = None,
) -> "AudioStream":
    """Open a file for decoding in bounded memory; use it in a `with` statement.

    Args:
        path: The file; its name and extension say nothing about its content.
        fallback: Asked when neither libsndfile nor FFmpeg can read the file.
        start: Where to begin, in seconds.
        end: Where to stop, in seconds.

    Raises:
        AudioError: The file is missing, a folder, forbidden, empty, or not audio.
        OptionError: `start` and `end` describe no stretch of time.
    """
    if not 0 <= (start or 0) < (math.inf if end is None else end):
        raise OptionError(f"no sound lies between {start} s and {end} s: start must be at least 0 and below end")
    name = printable(path)
    file = open_file(path)
    try:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        decoder = _decoder(file, Path(path), name, fallback)
        return AudioStream(file, decoder, name, sha256, (start or 0.0, math.inf if end is None else end))
    except BaseException:
        file.close()
        raise


def read_clip(
    path: str | PathLike[str],
    rate: int | None = None,
    start: float | None = None,
    end: float | None = None,
    fallback: Fallback | None = None,
) -> Clip:
    """Read a whole file, or `start` to `end` seconds of it, into memory; arguments and errors as `open_audio`.

    `rate` is the one wanted in Hz; None keeps the native one. The origin's `samples_sha256` and `duration` are those
    of the stretch at its native rate, `sha256` is that of the file.
    """
    with open_audio(path, fallback, start=start, end=end) as audio:
        clip = Clip(np.concatenate([*audio.blocks()]), audio.rate, audio.origin)
    return resampled(clip, rate or clip.rate)


def _decoder(file: BufferedReader, path: Path, name: str, fallback: Fallback | None) -> Decoder:
    try:
        return open_decoder(file, name)
    except AudioError:
        clip = fallback(path) if fallback else None
        if clip is None:
            raise
        return ClipDecoder(clip)


class AudioStream:
    """An open recording at its native `rate` in Hz, read once from front to back.

    `warnings` tells of damage that could be survived; like `origin` it is complete once `blocks` is exhausted.
    """

    def __init__(
        self, file: BufferedReader, decoder: Decoder, name: str, sha256: str, span: tuple[float, float]
    ) -> None:
        self.warnings: tuple[str, ...] = ()
        self._file, self._decoder, self._name, self._sha256, self._span = file, decoder, name, sha256, span
        blocks = decoder.blocks()
        self._blocks = chain(list(islice(blocks, 1)), blocks)
        self.rate = decoder.rate  # sure since the first block is there
        self._digest = hashlib.sha256()
        self._length = 0
        self._exhausted = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._decoder.close()
        self._file.close()

    @property
    def origin(self) -> Origin:
        """Where the samples come from; there once `blocks` is exhausted."""
        if not self._exhausted:
            raise RuntimeError("AudioStream.origin is complete only after blocks() is exhausted")
        return self._origin_of(self._digest.hexdigest(), self._length)

    def stretch(self, samples: FloatArray) -> Clip:
        """Samples (n,) of this recording as a clip, whose `samples_sha256` and `duration` are those of `samples`."""
        return Clip(samples, self.rate, self._origin_of(hashlib.sha256(samples.data).hexdigest(), len(samples)))

    def blocks(self) -> Iterator[FloatArray]:
        """Mono float32 blocks (n,) at the native rate, some seconds each; can be run through once.

        Raises:
            AudioError: Nothing can be decoded, or the samples are not numbers.
        """
        yield from self._checked(self._trimmed(self._blocks))
        self.warnings = self._decoder.warnings + self.warnings
        self._exhausted = True

    def _trimmed(self, blocks: Iterable[FloatArray]) -> Iterator[FloatArray]:
        """What lies in the wanted span; the length of the whole is held against the header's promise."""
        heard = 0
        for block in blocks:
            first, last = (math.inf if t == math.inf else round(t * self._decoder.rate) for t in self._span)
            kept = block[int(min(max(first - heard, 0), len(block))) : int(min(last - heard, len(block)))]
            heard += len(block)
            if len(kept):
                yield kept
            if heard >= last:
                return
        self._compare(heard)

    def _compare(self, heard: int) -> None:
        declared, seconds = self._decoder.declared, heard / self._decoder.rate
        if declared is not None and seconds < 0.98 * declared - 0.1:
            self.warnings += (f"cut short: {seconds:.2f} s of {declared:.2f} s could be decoded",)

    def _checked(self, blocks: Iterable[FloatArray]) -> Iterator[FloatArray]:
        for block in blocks:
            # A dot product is finite only when every sample is, at the speed of memory.
            with np.errstate(invalid="ignore", over="ignore"):
                finite = np.isfinite(np.dot(block, block))
            if not finite:
                raise AudioError(f"{self._name} holds samples that are not numbers: export it again as PCM")
            self._digest.update(block.data)
            self._length += len(block)
            yield block
        if not self._length:
            raise AudioError(f"{self._name} holds no samples that can be decoded there: fetch or record it again")

    def _origin_of(self, samples_sha256: str, length: int) -> Origin:
        return Origin(
            path=self._name,
            sha256=self._sha256,
            samples_sha256=samples_sha256,
            container=self._decoder.container,
            codec=self._decoder.codec,
            native_rate=self.rate,
            channels=self._decoder.channels,
            duration=length / self.rate,
        )
