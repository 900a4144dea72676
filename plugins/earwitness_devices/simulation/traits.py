"""What one device is, drawn from its numbers: a brand's habits, a model's design, a unit's tolerances."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from earwitness.types import FloatArray
from earwitness_devices.simulation._curves import OCTAVES, Curve, bells, high_pass, levelled_response, low_pass, smooth
from earwitness_devices.simulation._dynamics import GainControl, Gate, Suppressor
from earwitness_devices.simulation.response import read_response
from earwitness_devices.simulation.self_noise import SelfNoise, Tone, draw_shape, draw_tones

RATES = (8000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
"""Converters' sample rates in Hz."""
SHARES = (0.08, 0.02, 0.2, 0.04, 0.04, 0.06, 0.26, 0.3)
BRAND, MODEL, UNIT = 1, 2, 3  # keep the three streams of chance apart

Stage = Callable[[FloatArray, int], FloatArray]


@dataclass(frozen=True, slots=True)
class Traits:
    """One unit. Curves are in dB over GRID, levels in dB of full scale.

    `noise` is all of the self-noise as it reaches the converter: what arises before the response is coloured by it,
    what arises after is not. `stages` are what the firmware does, in order.
    """

    response: Curve
    noise: SelfNoise
    gain: float
    saturation: float
    converter: int
    quality: str
    stages: tuple[Stage, ...]
    offset: float
    bits: int


@dataclass(frozen=True, slots=True)
class Habits:
    """What the models of a brand have in common."""

    house: Curve
    slope: float
    mains: float
    converter: int
    processing: float


@dataclass(frozen=True, slots=True)
class Design:
    """What the units of a model have in common; `before` and `after` are noise on either side of the response."""

    response: Curve
    before: Curve
    after: Curve
    tones: tuple[Tone, ...]
    level: float
    gain: float
    saturation: float
    converter: int
    quality: str
    stages: tuple[Stage, ...]
    offset: float
    bits: int


@lru_cache(maxsize=4096)
def draw_traits(seed: int, brand: int, model: int, unit: int, file: str = "") -> Traits:
    """The unit of these numbers: its model's design within a unit's tolerances, the same whenever it is asked for.

    With a `file` the model has that measured response in place of the one drawn; all else stays the same.
    """
    design = _draw_design(seed, brand, model)
    if file:
        design = replace(design, response=read_response(file))
    rng = np.random.default_rng([UNIT, seed, brand, model, unit])
    response = design.response + smooth(rng, 0.7) + rng.normal(0.0, 0.3) * OCTAVES
    gain, level = design.gain + rng.normal(0.0, 1.0), design.level + rng.normal(0.0, 0.8)
    before = 10.0 ** ((design.before + smooth(rng, 0.5) + response) / 10.0)
    after = 10.0 ** ((design.after + smooth(rng, 0.5)) / 10.0)
    tones = tuple(Tone(tone.frequency, tone.level + level + gain + rng.normal(0.0, 2.0)) for tone in design.tones)
    return Traits(
        response=response,
        noise=SelfNoise(
            10.0 * np.log10(before + after) + level + gain + low_pass(0.46 * design.converter, 16.0), tones
        ),
        gain=gain,
        saturation=design.saturation,
        converter=design.converter,
        quality=design.quality,
        stages=design.stages,
        offset=design.offset + rng.normal(0.0, 2e-4),
        bits=design.bits,
    )


@lru_cache(maxsize=256)
def _draw_habits(seed: int, brand: int) -> Habits:
    rng = np.random.default_rng([BRAND, seed, brand])
    return Habits(
        house=smooth(rng, 2.0, 1.2),
        slope=rng.uniform(-5.0, 0.5),
        mains=float(rng.choice((50.0, 60.0))),
        converter=int(rng.choice(RATES, p=SHARES)),
        processing=rng.uniform(0.1, 0.6),
    )


@lru_cache(maxsize=256)
def _draw_design(seed: int, brand: int, model: int) -> Design:
    habits = _draw_habits(seed, brand)
    rng = np.random.default_rng([MODEL, seed, brand, model])
    converter = habits.converter if rng.random() < 0.5 else int(rng.choice(RATES, p=SHARES))
    front = rng.uniform(0.02, 0.98)  # the share of the noise that arises before the response
    gain = rng.uniform(-10.0, 12.0)
    level = rng.uniform(-90.0, -52.0)
    return Design(
        response=habits.house + _draw_response(rng, converter),
        before=draw_shape(rng, habits.slope + rng.normal(0.0, 1.5)) + 10.0 * np.log10(front),
        after=draw_shape(rng, rng.normal(-1.0, 1.5)) + 10.0 * np.log10(1.0 - front),
        tones=draw_tones(rng, habits.mains),
        level=level,
        gain=gain,
        saturation=float(rng.choice((1.0, 0.5, 0.25))) * rng.uniform(0.8, 1.6),
        converter=converter,
        quality=str(rng.choice(("LQ", "MQ", "HQ"))),
        stages=_draw_stages(rng, habits.processing, level + gain),
        offset=float(rng.random() < 0.3) * rng.normal(0.0, 2e-3),
        bits=int(rng.choice((12, 13, 14, 15, 16), p=(0.03, 0.04, 0.08, 0.1, 0.75))),
    )


def _draw_response(rng: np.random.Generator, converter: int) -> Curve:
    """Tilt, resonances and a smooth curve between a high-pass and the band's edges; 0 dB on average."""
    shape: Curve = rng.normal(0.0, 1.0) * OCTAVES + smooth(rng, rng.uniform(1.5, 4.5)) + bells(rng, 4, 5.0)
    corner = np.exp(rng.uniform(np.log(20.0), np.log(350.0)))
    curve: Curve = shape + high_pass(corner, int(rng.integers(1, 5)))
    curve += low_pass(rng.uniform(5000.0, 20_000.0), rng.uniform(0.5, 4.0))
    curve += low_pass(rng.uniform(0.4, 0.48) * converter, 16.0)
    return levelled_response(curve)


def _draw_stages(rng: np.random.Generator, share: float, floor: float) -> tuple[Stage, ...]:
    """A gate or a suppressor in some models, gain control in some; `floor` is the noise they have to do with."""
    stages: list[Stage] = []
    kind = rng.random()
    if kind < 0.5 * share:
        stages.append(Suppressor(rng.uniform(4.0, 18.0), rng.uniform(1.0, 3.0)))
    elif kind < share:
        stages.append(Gate(floor + rng.uniform(3.0, 15.0), rng.uniform(4.0, 25.0), rng.uniform(0.03, 0.4)))
    if rng.random() < share:
        attack, release = rng.uniform(0.01, 0.2), rng.uniform(0.3, 3.0)
        stages.append(GainControl(rng.uniform(-30.0, -18.0), rng.uniform(6.0, 20.0), attack, release, floor + 15.0))
    return tuple(stages)
