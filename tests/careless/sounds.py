"""Careless tracers and degradations."""

# ruff: noqa: ARG002 - a contract has arguments that a careless part doesn't read

import random
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from earwitness.types import Trace


@dataclass(frozen=True)
class Hears:
    """Keeps all rules."""

    name: ClassVar[str] = "hears"

    def __call__(self, clip):
        end = len(clip.samples) / clip.rate
        return (Trace("codec", 50.0, "a codec", 9.0, 1e-6, (1, 2), 0.0, end),) if np.ptp(clip.samples) > 0 else ()


class HearsBeyond(Hears):
    name: ClassVar[str] = "hears_beyond"

    def __call__(self, clip):
        return tuple(Trace("codec", 50.0, "a codec", 9.0, 1e-6, (1,), 1.0, 4.0) for _ in Hears.__call__(self, clip))


class HearsWhat(Hears):
    name: ClassVar[str] = "hears_what"

    def __call__(self, clip):
        return tuple(Trace("codec", 50.0, "", 9.0, 1e-6, (1,), 0.0, 1.0) for _ in Hears.__call__(self, clip))


class HearsNothing(Hears):
    name: ClassVar[str] = "hears_nothing"

    def __call__(self, clip):
        return (Trace("codec", 50.0, "a codec", 9.0, 1e-6, (1,), 0.0, len(clip.samples) / clip.rate),)


@dataclass(frozen=True)
class Louder:
    """Keeps all rules."""

    name: ClassVar[str] = "louder"

    def __call__(self, samples, rate, rng):
        return samples * np.float32(rng.uniform(0.5, 2.0))


class Shorter(Louder):
    name: ClassVar[str] = "shorter"

    def __call__(self, samples, rate, rng):
        return samples[1:]


class ByChance(Louder):
    name: ClassVar[str] = "by_chance"

    def __call__(self, samples, rate, rng):
        return samples * np.float32(random.uniform(0.5, 2.0))


class Late(Louder):
    name: ClassVar[str] = "late"

    def __call__(self, samples, rate, rng):
        return np.concatenate([np.zeros(rate // 50, np.float32), samples])[: len(samples)]


TRACERS = [Hears, HearsBeyond, HearsWhat, HearsNothing]
DEGRADATIONS = [Louder, Shorter, ByChance, Late]
