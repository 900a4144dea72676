"""`lattice`: which decoder's or codec's lattice of lines a clip carries, with nothing enrolled and nothing learned."""

from dataclasses import dataclass
from functools import reduce
from math import exp, log
from typing import ClassVar, Literal

import numpy as np

from earwitness.types import Clip, Trace
from earwitness_cyclic._evidence import LEAST_LINES, Lines, deviate, surprise
from earwitness_cyclic._extent import extent
from earwitness_cyclic._lattices import AAC, CONFUSABLE, MP3, OPUS, SUBBAND, UPSAMPLING, Lattice
from earwitness_cyclic._orders import first_order, second_order
from earwitness_cyclic._search import search
from earwitness_cyclic._spectra import Spectra, spectra

TABLE = (*AAC, OPUS, *MP3, *UPSAMPLING)
"""Codecs first: of two that explain the same lines, the one that needs no vocoder is taken."""

FAMILIES = 3
"""The table, the search and MP3's subbands are tried apart: each may be wrong a third as often as all."""

LOWEST = 1000.0
"""Hz under which tones are no evidence: hum and held vowels live there."""

SUBBAND_SATURATION = 30.0
"""Nats that one subband's line may bring: there are but one to four."""

LEAST_SECONDS = 0.5
"""In a shorter clip nothing can be said."""

ORDERS = (first_order, second_order)


@dataclass(frozen=True, slots=True)
class Finding:
    """A lattice and the best of its tests: `nats` of surprise at every `stage`-th line of an order, 0 or 1.

    `spacing` is the lattice's own unless it was played faster or slower; `tests` how many were tried beside it.
    """

    lattice: Lattice
    spacing: float
    nats: float = 0.0
    tests: int = 1
    order: int = 0
    stage: int = 1

    @property
    def p_value(self) -> float:
        """The chance of a finding as surprising in a clip without any lattice."""
        return min(1.0, exp(min(0.0, log(FAMILIES * self.tests) - self.nats)))

    @property
    def reading(self) -> str:
        """What the spacing means, and by how much it is off."""
        off = self.spacing / self.lattice.spacing - 1
        played = f", played {abs(100 * off):.1f} % {'faster' if off > 0 else 'slower'}" if off else ""
        return self.lattice.reading + played


@dataclass(frozen=True, slots=True)
class LatticeTracer:
    """Lines at multiples of native rate / hop in a clip's cyclic spectra, against what chance does.

    By chance a line's power is exponential of mean 1, the sum S of K lines a Gamma variable, and its surprise

        -ln P(S >= s) = s - ln sum_{j < K} s^j / j!,   a line bringing at most 8 nats,

    divided by how much larger than theirs the surprises of 128 spacings anywhere are in the same clip. Tried are all
    lines and the multiples of each divisor of the hop, in two orders, for every lattice of the table; the p-value is
    for all of them (Bonferroni). The surest is taken, its lines are blanked, and the others are tried anew, so that
    86.13 Hz is not read into the 43.07 Hz of AAC. Where nothing of the table stands, every spacing near is searched.
    Only the second order tells of codecs, and MP3 also of its subbands.

    Not evidence: tones under 1 kHz; a tone that outweighs all around it, as a note does; multiples of a single prime,
    as of one note held; tones at MP3's subbands or at the beat of a clock; and lattices of 50 or 100 Hz, as of mains.
    Genuine sound can still carry a lattice: of a denoiser that works in frames, of a machine humming at a round
    frequency, or of a bass note held throughout. A lattice says what the samples went through, not that nobody spoke.

    Args:
        alpha: Share of clips without any lattice that may be said to carry one.
    """

    name: ClassVar[str] = "lattice"
    alpha: float = 0.01

    def __call__(self, clip: Clip) -> tuple[Trace, ...]:
        """The lattices of a stretch at its native rate, the surest first; none where nothing can be told.

        Silence proves nothing: many systems leave no lattice, and noise or half a second hides it.
        """
        if len(clip.samples) < LEAST_SECONDS * clip.rate:
            return ()
        sound = spectra(clip.samples, clip.rate)
        orders = [
            Lines.of(sound.first, LOWEST, CONFUSABLE, notes_apart=True).scaled(),
            Lines.of(sound.second, 0.0, CONFUSABLE).scaled(),
        ]
        found = self._table(orders)
        if not found:
            found = [each for each in map(_searched, (0, 1), orders) if each.p_value <= self.alpha][:1]
        subbands = _subbands(Lines.of(sound.second), found)
        found += [subbands] if subbands.p_value <= self.alpha else []
        found.sort(key=lambda finding: -finding.nats)
        return tuple(_trace(finding, sound, clip.rate) for finding in found)

    def _table(self, orders: list[Lines]) -> list[Finding]:
        """The lattices of the table that stand, the surest first, each without the lines of those before it."""
        tests = sum(len(_tests(lattice, orders)) for lattice in TABLE)
        found: list[Finding] = []
        while True:
            known = [finding.lattice for finding in found]
            rest = [_best(lattice, orders, tests) for lattice in TABLE if not any(map(lattice.is_kin, known))]
            best = max(rest, key=lambda finding: finding.nats, default=None)
            if best is None or best.p_value > self.alpha:
                return found
            found.append(best)
            orders = _blanked(orders, best)


def _tests(lattice: Lattice, orders: list[Lines]) -> list[tuple[int, int]]:
    """Order and stage of each test: where there are lines enough, and of a codec all lines of the second order."""
    stages = lattice.stages if lattice.kind == "upsampling" else (1,)
    tried = (0, 1) if lattice.kind == "upsampling" else (1,)
    return [(o, d) for o in tried for d in stages if orders[o].limit >= 2 * LEAST_LINES * d * lattice.spacing]


def _best(lattice: Lattice, orders: list[Lines], tests: int) -> Finding:
    """The most surprising test of a lattice."""
    spacing = lattice.spacing
    findings = [
        Finding(lattice, spacing, orders[order].nats(stage * spacing), tests, order, stage)
        for order, stage in _tests(lattice, orders)
    ]
    return max(findings, key=lambda finding: finding.nats, default=Finding(lattice, spacing))


def _blanked(orders: list[Lines], finding: Finding) -> list[Lines]:
    """The evidence without a lattice's lines: a codec has none in the first order."""
    first, second = orders
    return [
        first.without(finding.spacing) if finding.lattice.kind == "upsampling" else first,
        second.without(finding.spacing),
    ]


def _searched(order: int, lines: Lines) -> Finding:
    """The spacing off the table that stands out most, as the nearest known lattice played faster or slower."""
    spacing, nats, count = search(lines)
    known = [lattice for lattice in UPSAMPLING if lattice.seen]
    nearest = min(known, key=lambda lattice: abs(log(spacing / lattice.spacing)))
    return Finding(nearest, spacing, nats, len(ORDERS) * count, order)


def _subbands(second: Lines, found: list[Finding]) -> Finding:
    """The MP3 whose subbands stand out most in the second order, but for lines of lattices already found.

    So few lines are weighed against the largest of all others, which by chance has the logarithm of their number.
    """
    for finding in found:
        second = second.without(finding.spacing)
    others = reduce(Lines.without, CONFUSABLE, second).values
    heaviest = float(np.nanmax(others, initial=0.0)) / log(len(others))
    findings = []
    for lattice in MP3:
        lines = second.at(SUBBAND * lattice.spacing)
        lines = np.minimum(lines[~np.isnan(lines)], SUBBAND_SATURATION)
        nats = float(surprise(lines.sum(), np.array(len(lines)))) / max(1.0, heaviest) if len(lines) else 0.0
        findings.append(Finding(lattice, lattice.spacing, nats, len(MP3), 1, SUBBAND))
    return max(findings, key=lambda finding: finding.nats)


def _trace(finding: Finding, sound: Spectra, rate: int) -> Trace:
    """A finding with the lines that stand out in it and the stretch that carries them."""
    order = ORDERS[finding.order]
    values = Lines.of((sound.first, sound.second)[finding.order]).at(finding.spacing)
    numbers = np.arange(1, len(values) + 1)
    out = numbers[values > log(len(values)) + 3]  # under 5 % that chance brings one
    told = out if len(out) >= LEAST_LINES else numbers[finding.stage - 1 :: finding.stage]
    start, end = extent(sound.white, rate, order, finding.spacing * told.astype(np.float64))
    kind: Literal["upsampling", "codec"] = finding.lattice.kind
    lines = tuple(int(k) for k in out)
    z = deviate(finding.nats)
    return Trace(kind, finding.spacing, finding.reading, z, finding.p_value, lines, start, end)
