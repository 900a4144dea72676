"""Careless embedders: fixed, fitted in closed form, and anchors."""

# ruff: noqa: ARG002 - a contract has arguments that a careless part doesn't read

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

SHARED = {}


@dataclass(frozen=True)
class Means:
    """Keeps all rules."""

    name: ClassVar[str] = "means"

    def __call__(self, features):
        return features.mean(axis=1)


class OverSamples(Means):
    """Keeps all rules of an embedder that hears bare samples."""

    name: ClassVar[str] = "over_samples"

    def __call__(self, features):
        return features[..., 0].reshape(len(features), 100, -1).mean(axis=1)


class Doubles(Means):
    name: ClassVar[str] = "doubles"

    def __call__(self, features):
        return features.mean(axis=1, dtype=np.float64)


class Constant(Means):
    name: ClassVar[str] = "constant"

    def __call__(self, features):
        return np.ones((len(features), 3), np.float32)


@dataclass(frozen=True)
class Centred:
    """Keeps all rules: means of frames about the middle of all windows."""

    name: ClassVar[str] = "centred"

    def fit(self, features, labels, cells):
        return {"middle": features.mean(axis=(0, 1))}

    def embed(self, state, features):
        return features.mean(axis=1) - state["middle"]


class ReadsPeaks(Centred):
    name: ClassVar[str] = "reads_peaks"

    def embed(self, state, features):
        return features.max(axis=1) - state["middle"]


class FitsByChance(Centred):
    name: ClassVar[str] = "fits_by_chance"

    def fit(self, features, labels, cells):
        return {"middle": np.random.default_rng().standard_normal(features.shape[2], np.float32)}


class KeepsToItself(Centred):
    """Learns into its module."""

    name: ClassVar[str] = "keeps_to_itself"

    def fit(self, features, labels, cells):
        SHARED["middle"] = features.mean(axis=(0, 1))
        return {"fitted": np.ones(1)}

    def embed(self, state, features):
        return features.mean(axis=1) - SHARED["middle"]


class NoArrays(Centred):
    name: ClassVar[str] = "no_arrays"

    def fit(self, features, labels, cells):
        return {"middle": float(features.mean())}


@dataclass(frozen=True)
class Nearness:
    """Keeps all rules: how near the mean frame is to that of each class."""

    name: ClassVar[str] = "nearness"

    def fit_frames(self, clips, labels):
        frames = np.concatenate([clip.reshape(-1, clip.shape[2]) for clip in clips])
        owners = np.repeat(labels, [clip.shape[0] * clip.shape[1] for clip in clips])
        means = [frames[owners == label].mean(axis=0) for label in np.unique(labels)]
        return {"means": np.stack(means), "scale": self.scale(frames)}

    def scale(self, frames):
        return np.ones(frames.shape[1], np.float32)

    def embed(self, state, features):
        apart = (features.mean(axis=1)[:, None] - state["means"]) / state["scale"]
        return -np.square(apart).sum(axis=2)


class MixesClasses(Nearness):
    name: ClassVar[str] = "mixes_classes"

    def fit_frames(self, clips, labels):
        return super().fit_frames(clips, labels[::-1])


class ScalesByFrames(Nearness):
    name: ClassVar[str] = "scales_by_frames"

    def scale(self, frames):
        return frames.std(axis=0)


FIXED = [Means, OverSamples, Doubles, Constant]
FITTED = [Centred, ReadsPeaks, FitsByChance, KeepsToItself, NoArrays]
ANCHORS = [Nearness, MixesClasses, ScalesByFrames]
EMBEDDERS = [*FIXED, *FITTED, *ANCHORS]
