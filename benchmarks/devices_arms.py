"""The arms of benchmarks/devices.py: which takes are enrolled, which are tested, and what is done to every sound."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from devices_clips import Take, equalised

from earwitness.types import FloatArray


@dataclass(frozen=True)
class Trial:
    """Takes that are enrolled, and takes of one side that are tested against them."""

    enrolled: tuple[Take, ...]
    tested: tuple[Take, ...]

    @property
    def side(self) -> str:
        """The side of what is tested."""
        return self.tested[0].side


@dataclass(frozen=True)
class Arm:
    """Trials, clips of devices that nobody enrolled, and what is done to every sound; `name` is the arm's own."""

    name: str
    trials: tuple[Trial, ...]
    strangers: tuple[Take, ...] = ()
    change: Callable[[FloatArray], FloatArray] | None = None


def sides_out(enrolled: Sequence[Take], tested: Sequence[Take]) -> tuple[Trial, ...]:
    """The takes of each side, against those of the others."""
    return tuple(
        Trial(tuple(t for t in enrolled if t.side != side), tuple(t for t in tested if t.side == side))
        for side in sorted({take.side for take in tested})
    )


def takes_out(takes: Sequence[Take]) -> tuple[Trial, ...]:
    """Each take against all others, of microphones that have several."""
    devices = [take.device for take in takes]
    several = [take for take in takes if devices.count(take.device) > 1]
    return tuple(Trial(tuple(other for other in several if other is not take), (take,)) for take in several)


def all_arms(takes: Sequence[Take], strangers: Sequence[Take]) -> list[Arm]:
    """Every arm; strangers were never heard through a conference, and so take no part in arms that were."""
    direct, linked = ([take for take in takes if take.link is link] for link in (False, True))
    same, far = sides_out(direct, direct), tuple(strangers)
    return [
        Arm("raw", same, far),
        Arm("through a conference, enrolled raw", sides_out(direct, linked)),
        Arm("through a conference, enrolled so", takes_out(linked)),
        Arm("equalised, to 7 kHz", same, far, partial(equalised, edge=7000.0)),
        Arm("equalised, to 3.4 kHz", same, far, partial(equalised, edge=3400.0)),
    ]
