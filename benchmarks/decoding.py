"""Decoding and resampling against the bare libraries, as ratios of medians of interleaved runs.

    python benchmarks/decoding.py [FILE ...]

Without files, four seconds of noise are written as WAV, FLAC, MP3 and M4A. 'bare' is the library alone, decoding to
a mono float32 array; 'bare, hashed' also takes the two digests that `Origin` holds. Run with OMP_NUM_THREADS=1.
"""

import hashlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import soundfile
import soxr
import torch
import torchaudio
from stopwatch import interleaved

from earwitness.audio import read_clip
from earwitness.types import FloatArray

SECONDS, RATE, ROUNDS = 4, 44100, 60


def bare_soundfile(path: Path) -> FloatArray:
    """Mono samples (n,) by libsndfile alone."""
    samples: FloatArray = soundfile.read(path, dtype="float32", always_2d=True)[0]
    return samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1)


def bare_pyav(path: Path) -> FloatArray:
    """Mono samples (n,) by FFmpeg alone."""
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="fltp")
        frames = [g.to_ndarray() for f in container.decode(audio=0) for g in resampler.resample(f)]
    samples: FloatArray = np.concatenate(frames, axis=1)
    return samples[0] if len(samples) == 1 else samples.mean(axis=0)


def hashed(read: Callable[[Path], FloatArray]) -> Callable[[Path], None]:
    """The same with the digests of bytes and samples."""

    def run(path: Path) -> None:
        hashlib.sha256(np.ascontiguousarray(read(path)).data)
        hashlib.sha256(path.read_bytes())

    return run


def examples(folder: Path) -> Iterator[Path]:
    """The same noise in four containers."""
    noise = (0.1 * np.random.default_rng(0).standard_normal(SECONDS * RATE)).astype(np.float32)
    for suffix in ("wav", "flac", "mp3"):
        soundfile.write(folder / f"noise.{suffix}", noise, RATE)
        yield folder / f"noise.{suffix}"
    with av.open(str(folder / "noise.m4a"), "w", format="ipod") as out:
        sound = out.add_stream("aac", rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(noise[None], format="fltp", layout="mono")
        frame.sample_rate = RATE
        for packet in [*sound.encode(frame), *sound.encode()]:
            out.mux(packet)
    yield folder / "noise.m4a"


def compare_decoding(path: Path) -> None:
    """Print one line for one file."""
    try:
        soundfile.info(path)
        bare = bare_soundfile
    except soundfile.SoundFileError:
        bare = bare_pyav
    duration = read_clip(path).origin.duration
    jobs = {"ours": lambda: read_clip(path), "alone": lambda: bare(path), "same work": lambda: hashed(bare)(path)}
    ours, alone, same_work = interleaved(jobs, ROUNDS).values()
    print(
        f"| decode {path.suffix[1:]} | {bare.__name__} | {duration / ours:,.0f} "
        f"| {alone / ours:.2f} | {same_work / ours:.2f} |"
    )


def compare_resampling() -> None:
    """Print the line of 44.1 to 16 kHz."""
    noise = np.random.default_rng(0).standard_normal(SECONDS * RATE).astype(np.float32)
    kernel, tensor = torchaudio.transforms.Resample(RATE, 16000), torch.from_numpy(noise)
    jobs = {"ours": lambda: soxr.resample(noise, RATE, 16000, "HQ"), "theirs": lambda: kernel(tensor)}
    ours, theirs = interleaved(jobs, ROUNDS).values()
    print(f"| resample 44.1 to 16 kHz | torchaudio | {SECONDS / ours:,.0f} | {theirs / ours:.2f} | |")


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    print(f"Threads: 1 (OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS', 'unset')}), {ROUNDS} rounds.\n")
    print("| what | against | x real time | ratio to bare | ratio to bare, hashed |")
    print("| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        for path in [Path(name) for name in sys.argv[1:]] or examples(Path(folder)):
            compare_decoding(path)
    compare_resampling()


if __name__ == "__main__":
    main()
