"""Made-up input: voices, the oddest sounds that may come, features of both, and galleries."""

import numpy as np

from earwitness.model import unit
from earwitness.subset import Subset
from earwitness.types import Clip, FloatArray, Origin
from earwitness.windows import levelled

__all__ = [
    "RATE",
    "SHAPE",
    "clip_of",
    "features",
    "gallery",
    "odd_features",
    "odd_sounds",
    "odd_vectors",
    "voice",
    "windows",
]

RATE = 16000
SHAPE = 40, 20
"""Frames and dims of a window, where no pipeline says."""


def voice(seed: int, seconds: float = 1.0, rate: int = RATE) -> FloatArray:
    """(n,): a voice of its seed's own pitch and colour, syllable after syllable, in a little noise."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    pitch = rng.uniform(90, 220) * (1 + 0.05 * np.sin(2 * np.pi * rng.uniform(2, 5) * time))
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    sound = sum(rng.uniform(0.7, 0.95) ** k * np.sin(k * phase) for k in range(1, 16))
    sound = sound * (1 + np.sin(2 * np.pi * 3 * time)) + 0.1 * rng.standard_normal(len(time))
    return np.asarray(0.3 * sound / np.abs(sound).max(initial=1e-9), np.float32)


def windows(count: int, seconds: float = 1.0, rate: int = RATE) -> FloatArray:
    """(B, n): voices, levelled as a frontend gets them."""
    found = [levelled(voice(seed, seconds, rate), rate) for seed in range(count)]
    return np.stack([window for window in found if window is not None])


def odd_sounds(length: int) -> dict[str, FloatArray]:
    """Sounds (1, n) that no part may stumble over, by name; the last is a single sample."""
    click = np.zeros(length)
    click[length // 2] = 1.0
    sounds = {
        "silence": np.zeros(length),
        "a click": click,
        "full scale": np.where(np.arange(length) // 40 % 2, 1.0, -1.0),
        "a constant": np.ones(length),
        "the faintest noise": 1e-20 * np.random.default_rng(0).standard_normal(length),
        "one sample": np.ones(1),
    }
    return {name: sound[None].astype(np.float32) for name, sound in sounds.items()}


def clip_of(samples: FloatArray, rate: int = RATE) -> Clip:
    """Samples (n,) as a clip that came from nowhere."""
    return Clip(samples, rate, Origin("made up", "", "", "wav", "pcm", rate, 1, len(samples) / rate))


def features(count: int, shape: tuple[int, int], seed: int = 0) -> FloatArray:
    """(B, frames, dims): lively, every window about a middle of its own."""
    rng = np.random.default_rng(seed)
    middles = rng.standard_normal((count, 1, shape[1]))
    return np.asarray(middles + rng.standard_normal((count, *shape)), np.float32)


def odd_features(shape: tuple[int, int]) -> dict[str, FloatArray]:
    """What frontends make of odd sounds, (1, frames, dims) each."""
    click = np.zeros(shape)
    click[shape[0] // 2] = 100.0
    odd = {
        "features of silence": np.full(shape, -23.0),
        "features that are all 0": np.zeros(shape),
        "features of a click": click,
        "features of full scale": np.full(shape, 1e4),
    }
    return {name: window[None].astype(np.float32) for name, window in odd.items()}


def gallery(counts: tuple[int, ...], seed: int = 0) -> Subset:
    """Sources of so many rows (N, 16), each a cloud in two cells; of every second one, training learned a direction."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(counts)), counts)
    centres = unit(rng.standard_normal((len(counts), 16)).astype(np.float32))
    rows = unit(centres[labels] + (0.1 * rng.standard_normal((len(labels), 16))).astype(np.float32))
    clips = np.arange(len(labels))
    heads = np.where(np.arange(len(counts))[:, None] % 2, centres, np.float32(0))
    sources = tuple(f"source-{k}" for k in range(len(counts)))
    return Subset(sources, heads, rows, labels, clips, 2 * labels + clips % 2)


def odd_vectors() -> dict[str, FloatArray]:
    """Unit vectors (1, 16) that are near to no source, by name."""
    return {
        "the opposite of a row": -gallery((1,)).embeddings,
        "what the pipeline makes of silence": unit(np.zeros((1, 16), np.float32)),
    }
