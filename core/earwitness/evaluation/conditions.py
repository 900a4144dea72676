"""What may happen to clips between their source and us: the grid of conditions to measure under.

Each is a short chain of degradations, by their names in the catalogue, with fixed settings and seeds; then the middle
of what is left. Clips are written as PCM at their native rate, so that nothing but their sound tells what happened.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from earwitness.audio import read_clip
from earwitness.errors import OptionError
from earwitness.evaluation.progress import Progress, unwatched
from earwitness.manifest import Row
from earwitness.plugins import Catalogue
from earwitness.types import FloatArray
from earwitness_registry.files import write_whole

__all__ = ["CONDITIONS", "Condition", "choose_conditions", "conditioned"]

SEED = 0
TRIAL_RATE = 16000


@dataclass(frozen=True, slots=True)
class Condition:
    """Degradations in their order, by name with their parameters; then at most `seconds` from the middle."""

    steps: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    seconds: float | None = None

    def __call__(self, samples: FloatArray, rate: int, catalogue: Catalogue, number: int) -> FloatArray:
        """(n,) -> (m,) at the same rate; the chance in it hangs on the clip's `number` alone.

        Raises:
            UnknownPartError: No plugin offers a degradation.
            OptionError: This machine lacks a codec.
        """
        rng = np.random.default_rng([SEED, number])
        for name, parameters in self.steps:
            samples = catalogue.get("degradation", name)(**parameters)(samples, rate, rng)
        length = len(samples) if self.seconds is None else min(len(samples), round(self.seconds * rate))
        start = (len(samples) - length) // 2
        return samples[start : start + length]


def _codec(codec: str, *bitrates: float) -> Condition:
    return Condition((("codec", {"codec": codec, "bitrates": bitrates}),))


def _noise(ratio: float) -> Condition:
    return Condition((("noise", {"ratio": (ratio, ratio), "slope": (0.0, 0.0)}),))


TELEPHONE_BAND = ("band", {"high_pass": (300.0, 300.0), "low_pass": (3400.0, 3400.0)})

CONDITIONS: Mapping[str, Condition] = {
    "clean": Condition(),
    "mp3": _codec("mp3", 64.0),
    "aac": _codec("aac", 64.0),
    "opus": _codec("opus", 16.0),
    "amr": _codec("amr", 12.2),
    "telephone": Condition((TELEPHONE_BAND, ("codec", {"codec": "mulaw"}))),
    "noise20": _noise(20.0),
    "noise10": _noise(10.0),
    "1s": Condition(seconds=1.0),
    "3s": Condition(seconds=3.0),
    "5s": Condition(seconds=5.0),
    "10s": Condition(seconds=10.0),
}
"""Codecs at kilobits a second usual for them; white noise at so many dB; ITU-T G.711 in its band; cuts."""


def choose_conditions(names: Sequence[str], catalogue: Catalogue) -> tuple[str, ...]:
    """The conditions asked for, `all` being all; each tried on a second of noise, so that none fails later.

    Raises:
        OptionError: There is no such condition, or this machine lacks its codec.
        UnknownPartError: No plugin offers its degradation.
    """
    chosen = tuple(CONDITIONS) if "all" in names else tuple(dict.fromkeys(names))
    trial = np.random.default_rng(SEED).normal(scale=0.1, size=TRIAL_RATE).astype(np.float32)
    for name in chosen:
        if name not in CONDITIONS:
            raise OptionError(f"there is no condition {name!r}: give 'all' or some of {', '.join(CONDITIONS)}")
        CONDITIONS[name](trial, TRIAL_RATE, catalogue, 0)
    return chosen


def conditioned(
    rows: Sequence[Row], name: str, folder: Path, catalogue: Catalogue, progress: Progress = unwatched
) -> tuple[Row, ...]:
    """The clips after a condition, written into a folder, as rows that are otherwise the same.

    The chance in a clip hangs on its line in the manifest, so that no choice of others changes it. A clip that lies in
    the folder is not made again.
    """
    steps = progress(rows, len(rows), f"making {name}")
    return tuple(_written(row, CONDITIONS[name], folder, catalogue) for row in steps)


def _written(row: Row, condition: Condition, folder: Path, catalogue: Catalogue) -> Row:
    file = folder / f"{row.line}-{row.path.stem}.wav"
    if not file.is_file():
        clip = read_clip(row.path, None, row.start, row.end, catalogue.read_clip)
        changed, whole = condition(clip.samples, clip.rate, catalogue, row.line), BytesIO()
        soundfile.write(whole, changed, clip.rate, subtype="FLOAT", format="WAV")
        write_whole(file, whole.getvalue())
    return replace(row, path=file, start=None, end=None)
