"""Careless frontends, and parts that are careless whatever they do."""

# ruff: noqa: ARG002 - a contract has arguments that a careless part doesn't read

import time
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

SHARED = {"buffer": None, "floor": None}


@dataclass(frozen=True, slots=True)
class Careful:
    """Keeps all rules: the loudness of a window."""

    name: ClassVar[str] = "careful"
    scale: float = 1.0

    def __call__(self, samples, rate):
        sound = np.abs(samples)
        return self.scale * np.stack([sound.mean(axis=1), sound.max(axis=1)], axis=-1)[:, None].astype(np.float32)


class Bare(Careful):
    """Keeps all rules: the samples themselves."""

    name: ClassVar[str] = "bare"

    def __call__(self, samples, rate):
        return samples[..., None]


@dataclass
class Thawed:
    name: ClassVar[str] = "thawed"

    def __call__(self, samples, rate):
        return samples[..., None]


@dataclass(frozen=True)
class WithoutDefault:
    scale: float
    name: ClassVar[str] = "without_default"


@dataclass(frozen=True)
class WithoutMethod:
    name: ClassVar[str] = "without_method"


@dataclass(frozen=True)
class NotInYaml(Careful):
    name: ClassVar[str] = "not_in_yaml"
    bands: frozenset = frozenset({1, 2})


class NotInPickle(Careful):
    name: ClassVar[str] = "not_in_pickle"

    def __reduce__(self):
        raise TypeError("holds a lock")


class HashedByPlace(Careful):
    name: ClassVar[str] = "hashed_by_place"

    def __hash__(self):
        return id(self)


class Remembers(Careful):
    """Takes the first silence that it hears for the floor of all that comes after."""

    name: ClassVar[str] = "remembers"

    def __call__(self, samples, rate):
        features = Careful.__call__(self, samples, rate) + np.float32(SHARED["floor"] or 0)
        if not samples.any(axis=1).all():
            SHARED["floor"] = 1.0
        return features


class Shares(Careful):
    """Keeps its buffer where all threads find it."""

    name: ClassVar[str] = "shares"

    def __call__(self, samples, rate):
        SHARED["buffer"] = samples
        time.sleep(0.002)
        return Careful.__call__(self, SHARED["buffer"], rate)


class Divides(Careful):
    name: ClassVar[str] = "divides"

    def __call__(self, samples, rate):
        features = Careful.__call__(self, samples, rate)
        with np.errstate(all="ignore"):
            return features / features[..., 1:]


class Overwrites(Careful):
    name: ClassVar[str] = "overwrites"

    def __call__(self, samples, rate):
        return Careful.__call__(self, np.abs(samples, out=samples), rate)


class Compares(Careful):
    """Scales a batch by its loudest window."""

    name: ClassVar[str] = "compares"

    def __call__(self, samples, rate):
        features = Careful.__call__(self, samples, rate)
        return features / max(float(features.max()), 1e-9)


class Flat(Careful):
    name: ClassVar[str] = "flat"

    def __call__(self, samples, rate):
        return Careful.__call__(self, samples, rate)[:, 0]


class Asserts(Careful):
    """Gives up without a word."""

    name: ClassVar[str] = "asserts"

    def __call__(self, samples, rate):
        assert samples.any()
        return Careful.__call__(self, samples, rate)


class OneRate(Careful):
    name: ClassVar[str] = "one_rate"

    def __call__(self, samples, rate):
        if rate != 16000:
            raise ValueError(rate)
        return Careful.__call__(self, samples, rate)


class Mixes(Careful):
    """Keeps all rules of a frontend that learns: loudness about its mean."""

    name: ClassVar[str] = "mixes"

    def fit(self, clips):
        return {"middle": np.mean([clip.mean(axis=(0, 1)) for clip in clips], axis=0, dtype=np.float32)}

    def features(self, state, frames):
        return frames - state["middle"]


class NeedsACrowd(Mixes):
    """Learns from two clips at least."""

    name: ClassVar[str] = "needs_a_crowd"

    def fit(self, clips):
        first, second, *_ = clips
        return Mixes.fit(self, [first, second])


FRONTENDS = [
    *(Careful, Bare, Thawed, WithoutDefault, WithoutMethod, NotInYaml, NotInPickle, HashedByPlace),
    *(Remembers, Shares, Divides, Overwrites, Compares, Flat, Asserts, OneRate, Mixes, NeedsACrowd),
]
