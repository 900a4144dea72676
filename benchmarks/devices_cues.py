"""What a wrong cue would give: clips that share a room, speaker, level or codec taken for one device's, or parted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from devices_baselines import LdaSpace, Pooled
from devices_clips import RATE, degradation
from devices_methods import Change, Ear, Method, gallery, heard, unchanged
from numpy.typing import NDArray

from earwitness.evaluation import metrics
from earwitness.evaluation.intervals import interval
from earwitness.manifest import Row, read_manifest
from earwitness.model import unit
from earwitness.types import FloatArray

DRAWS = 200
CODECS = ("none", "mp3", "opus", "aac", "amr", "mulaw")
GAINS = {"0 dB": 1.0, "-20 dB": 0.1}
STEP = 2.0**-15

Mask = NDArray[np.bool_]


def coded(samples: FloatArray, number: int) -> FloatArray:
    """Through a codec that goes round with the number."""
    codec = CODECS[number % len(CODECS)]
    if codec == "none":
        return samples
    return np.asarray(degradation("codec", codec=codec)(samples, RATE, np.random.default_rng(number)))


def quieter(samples: FloatArray, number: int) -> FloatArray:
    """By a gain that goes round with the number, rounded to 16 bits again."""
    gain = list(GAINS.values())[number % len(GAINS)]
    return np.asarray(np.rint(samples * gain / STEP) * STEP, np.float32)


def cues(rows: Sequence[Row]) -> Iterator[tuple[str, Change, NDArray[np.str_]]]:
    """Each cue's name, what is done to the clips to give it, and what each clip has of it, (n,)."""
    for column in ("room", "speaker"):
        yield column, unchanged, np.array([row.columns[column] for row in rows])
    names = list(GAINS)
    yield "level", quieter, np.array([names[n % len(names)] for n in range(len(rows))])
    yield "codec", coded, np.array([CODECS[n % len(CODECS)] for n in range(len(rows))])


def errors(root: Path, methods: Sequence[Method]) -> dict[str, Any]:
    """By cue and ear: misses and false alarms of pairs that share the cue, and of pairs that don't."""
    named: dict[Ear, str] = {}
    for method in methods:
        named.setdefault(method.ear, method.name.partition(",")[0])
    judges = {name: Judge.of(ear, root) for ear, name in named.items()}
    rows = read_manifest(root / "cues" / "manifest.csv").rows
    found: dict[str, Any] = {}
    devices = np.array([row.source for row in rows])
    for cue, change, values in cues(rows):
        clips = heard(named, rows, change, cue)
        found[cue] = {name: judges[name].rates(clips[ear], devices, values) for ear, name in named.items()}
    return found


@dataclass(frozen=True)
class Judge:
    """Calls two clips one device's from a cosine of `threshold` on, in the ear's space or what is learned of it."""

    space: LdaSpace | None
    threshold: float

    @classmethod
    def of(cls, ear: Ear, root: Path) -> "Judge":
        """With the threshold of the EER over pairs of clean clips; a classic feature's space learns who is enrolled."""
        space = None
        if isinstance(ear, Pooled):
            enrolled = read_manifest(root / "enrol" / "manifest.csv").rows
            clips = heard([ear], enrolled, unchanged, "enrol")[ear]
            space = LdaSpace.of(gallery(clips, [row.source or "" for row in enrolled]))
        rows = read_manifest(root / "snr100" / "manifest.csv").rows
        judge = cls(space, 0.0)
        cosines = judge.cosines(heard([ear], rows, unchanged, "pairs")[ear])
        same = _alike(np.array([row.source for row in rows]))
        upper = np.triu(np.ones_like(same), k=1)
        return cls(space, at_eer(cosines[same & upper], cosines[~same & upper]))

    def cosines(self, clips: Sequence[FloatArray]) -> FloatArray:
        """Of every pair of clips' mean rows, (n, n)."""
        means = unit(np.stack([(self.space.project(rows) if self.space else rows).mean(axis=0) for rows in clips]))
        return means @ means.T

    def rates(self, clips: Sequence[FloatArray], devices: NDArray[np.str_], values: NDArray[np.str_]) -> dict[str, Any]:
        """Each rate: [it, low, high], devices drawn anew."""
        accepted, same, shared = self.cosines(clips) >= self.threshold, _alike(devices), _alike(values)
        pairs = np.triu(np.ones_like(same), k=1)
        return {
            "misses, shared": rate(~accepted, pairs & same & shared, devices),
            "misses, another": rate(~accepted, pairs & same & ~shared, devices),
            "false alarms, shared": rate(accepted, pairs & ~same & shared, devices),
            "false alarms, another": rate(accepted, pairs & ~same & ~shared, devices),
        }


def _alike(values: NDArray[np.str_]) -> Mask:
    return np.asarray(values[:, None] == values)


def at_eer(same: FloatArray, other: FloatArray) -> float:
    """The threshold at which as large a share of `same` lies below as of `other` above."""
    rate = metrics.eer(same, other)
    return float(np.quantile(other, 1 - rate))


def rate(wrong: Mask, pairs: Mask, devices: NDArray[np.str_]) -> list[float]:
    """The share of some pairs (n, n) that went wrong: [it, low, high]; a pair counts as often as both its devices."""
    one, two = np.nonzero(pairs)
    names, index = np.unique(devices, return_inverse=True)
    errors, first, second = wrong[one, two], index[one], index[two]
    rng, drawn = np.random.default_rng(0), []
    for _ in range(DRAWS):
        times = np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names))
        weights = np.where(first == second, times[first], times[first] * times[second])
        drawn.append(np.average(errors, weights=weights) if weights.any() else np.nan)
    return [metrics.mean(errors), *interval(drawn)]
