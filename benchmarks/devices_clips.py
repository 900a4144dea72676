"""Takes of real microphones, as benchmarks/devices.py hears them: at one rate, and with no cheap cue if so asked."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from earwitness.audio import read_clip
from earwitness.contracts import Degradation
from earwitness.manifest import read_manifest
from earwitness.plugins import load_catalogue
from earwitness.types import FloatArray

RATE = 16000
LINK = "__voip"
"""Ends the name of a microphone that was heard through a web conference."""
ANYBODYS = "-unspecified"
"""Ends the name of a kind of device of which each speaker has an own one."""

FRAME = 320
QUIET_SHARE = 0.1
QUIET, LOUDEST = 10 ** (-50 / 20), 10 ** (-30 / 20)
"""Root mean squares: of the quiet part of an equalised clip, and the most that a frame of it may have."""
STEP = 2.0**-11
"""Of an equalised clip's samples: 12 bits."""


@dataclass(frozen=True)
class Take:
    """One recording: its `device`, the `side` the sound came from, S for the wearer's own speech, and its `group`.

    What is drawn in a bootstrap is a group: the take, or the speaker with a device of his own.
    """

    path: Path
    device: str
    side: str
    group: str
    link: bool

    @classmethod
    def of(cls, path: Path, device: str, speaker: str) -> "Take":
        """A take by what the manifest says of it; the side stands in the file's name."""
        found = re.search(r"_([SLBRF])_", path.name)
        theirs = device.endswith(ANYBODYS)
        side = found[1] if found else "S"
        return cls(path, device.removesuffix(LINK), side, speaker if theirs else path.name, device.endswith(LINK))

    @property
    def samples(self) -> FloatArray:
        """(n,) at RATE."""
        return read_clip(self.path, RATE).samples


def read_takes(manifest: Path) -> tuple[list[Take], list[Take]]:
    """The takes of named microphones, and of devices that nobody enrolled."""
    rows = [row for row in read_manifest(manifest).rows if row.columns["kind"] == "real_recording"]
    found = [Take.of(row.path, row.columns["device"], row.columns["speaker"]) for row in rows]
    strange = [take.device.endswith(ANYBODYS) for take in found]
    return (
        [take for take, other in zip(found, strange, strict=True) if not other],
        [take for take, other in zip(found, strange, strict=True) if other],
    )


def degradation(name: str, **parameters: object) -> Degradation:
    """One by its name."""
    found: Degradation = load_catalogue().get("degradation", name)(**parameters)
    return found


def equalised(samples: FloatArray, edge: float) -> FloatArray:
    """The clip (n,) at RATE without what says little of a device and yet gives it away.

    Cut off at `edge` Hz; scaled so that its quietest tenth of frames has the root mean square QUIET; frames louder
    than LOUDEST held at that, since speech over noise is a level too; rounded to 12 bits with triangular dither, so
    that neither exact zeros nor the steps of the converter are left.
    """
    rng = np.random.default_rng(0)
    held = levelled(degradation("band", high_pass=(0.0, 0.0), low_pass=(edge, edge))(samples, RATE, rng))
    dither = rng.random(len(held)) - rng.random(len(held))
    return np.asarray(np.rint(held / STEP + dither) * STEP, np.float32)


def levelled(samples: FloatArray) -> FloatArray:
    """The clip (n,) with its quiet part at QUIET and no frame over LOUDEST."""
    levels = frame_levels(samples)
    quiet = np.sqrt(np.square(np.sort(levels)[: max(1, round(QUIET_SHARE * len(levels)))]).mean())
    gain = QUIET / max(float(quiet), 1e-9)
    held = gain * np.minimum(1.0, LOUDEST / np.maximum(gain * levels, 1e-9))
    middles = (np.arange(len(levels)) + 0.5) * FRAME
    return np.asarray(samples * np.interp(np.arange(len(samples)), middles, held), np.float32)


def frame_levels(samples: FloatArray) -> FloatArray:
    """The root mean square of each whole frame, (frames,)."""
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    return np.asarray(np.sqrt(np.square(frames, dtype=np.float64).mean(axis=1)), np.float32)


def excerpts(samples: FloatArray, seconds: float) -> Iterator[FloatArray]:
    """Whole stretches of a clip, one after the other; a shorter clip as it is."""
    size = round(seconds * RATE)
    for start in range(0, max(len(samples) - size, 0) + 1, size):
        yield samples[start : start + size]
