"""What flows: Clip -> Windows -> features -> embedding -> Scores -> Verdict.

All are frozen. Letters in shapes: n samples, B windows, K sources, N enrolled rows, d embedding dimension.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from earwitness_registry import Card, Kind, Task

__all__ = [
    "Card",
    "Clip",
    "Evidence",
    "FloatArray",
    "IntArray",
    "Kind",
    "Mixed",
    "Origin",
    "Rank",
    "Scores",
    "Segment",
    "Share",
    "State",
    "Task",
    "Trace",
    "TraceKind",
    "Verdict",
    "VerdictKind",
    "Windows",
]

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]
State = Mapping[str, NDArray[Any]]
"""What a part has learned: named arrays, stored as safetensors."""

TraceKind = Literal["upsampling", "codec"]
SHOWN = 8  # lines of a trace that a sentence names
VerdictKind = Literal["known", "unknown", "abstain", "error"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a clip's samples come from.

    `sha256` is the digest of the file's bytes; `samples_sha256` of the decoded mono float32 samples at
    the native rate, so that two containers of one lossless recording share it. `duration` in seconds.
    """

    path: str
    sha256: str
    samples_sha256: str
    container: str
    codec: str
    native_rate: int
    channels: int
    duration: float


@dataclass(frozen=True, slots=True)
class Clip:
    """A decoded recording: mono `samples` (n,) float32 in -1..1 at `rate` Hz."""

    samples: FloatArray
    rate: int
    origin: Origin


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows of one length cut from a clip: `samples` (B, n) float32 at `rate` Hz, `starts` (B,) seconds."""

    samples: FloatArray
    starts: FloatArray
    rate: int


@dataclass(frozen=True, slots=True)
class Scores:
    """What a scorer says of B windows: `values` (B, K), larger is more alike, and `knownness` (B,)."""

    values: FloatArray
    knownness: FloatArray

    def pooled(self) -> "Scores":
        """The clip's scores, (1, K) and (1,): the mean over its windows."""
        return Scores(self.values.mean(axis=0, keepdims=True), self.knownness.mean(keepdims=True))


@dataclass(frozen=True, slots=True)
class Rank:
    """One line of the ranking; `probability` is None without calibration."""

    source: str
    probability: float | None
    similarity: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """A reference near the questioned clip, by cosine similarity."""

    source: str
    clip: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Segment:
    """The answer for one window, `start` to `end` in seconds; `source` None means unknown."""

    start: float
    end: float
    source: str | None
    knownness: float


@dataclass(frozen=True, slots=True)
class Mixed:
    """A change of source within a clip: `before` until about the second `at`, `after` from there on."""

    at: float
    before: str
    after: str

    def __str__(self) -> str:
        """The change as a sentence."""
        return f"mixed: {self.before} until about {self.at:.1f} s, {self.after} from there on"


@dataclass(frozen=True, slots=True)
class Trace:
    """What the signal itself shows of its making between `start` and `end`, in seconds: lines at k * `spacing_hz`.

    `reading` is what the spacing means, as '24 kHz, hop 300'; `lines` are the k that stand out; `z` is their height
    over chance in standard deviations, `p_value` the chance of one as high where nothing of the kind was made.
    """

    kind: TraceKind
    spacing_hz: float
    reading: str
    z: float
    p_value: float
    lines: tuple[int, ...]
    start: float
    end: float

    def __str__(self) -> str:
        """The trace as part of a sentence."""
        what = {"upsampling": "an upsampling lattice", "codec": "a codec's frames"}[self.kind]
        lines = ", ".join(map(str, self.lines[:SHOWN])) + (" ..." if len(self.lines) > SHOWN else "")
        return (
            f"{what} every {self.spacing_hz:.5g} Hz ({self.reading}), z {self.z:.1f}, p {self.p_value:.1g}, "
            f"lines {lines or 'none apart'}, {self.start:.1f} s to {self.end:.1f} s"
        )


@dataclass(frozen=True, slots=True)
class Share:
    """What one of several experts added to the value of the source ranked first; below 0 it spoke against."""

    expert: str
    share: float

    def __str__(self) -> str:
        """The share as people read it."""
        return f"{self.expert} {self.share:z.1f}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer for one clip and task, field by field as in the JSON that others rely on (schema 1).

    `source` is None unless `verdict` is 'known'; `siblings` are the sources that nothing tells apart from it, itself
    among them, and `probability` is that of them all; `candidates` are the enrolled sources that can't be ruled out at
    95 %, were it one of them; empty where none is left. `family` is the narrowest group that the clip bears, of a
    device its model or else its brand. `experts` says who carried the answer, `mixed` that another source takes over
    within the clip, `suspects` whose cards name the lattice that it carries. A figure that can't be had honestly is
    None.
    """

    clip: str
    sha256: str | None
    task: Task
    verdict: VerdictKind
    source: str | None = None
    siblings: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()
    family: str | None = None
    knownness: float | None = None
    threshold: float | None = None
    probability: float | None = None
    unknown_probability: float | None = None
    p_value: float | None = None
    log10_lr: float | None = None
    support: str | None = None
    ranking: tuple[Rank, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    experts: tuple[Share, ...] = ()
    segments: tuple[Segment, ...] = ()
    mixed: Mixed | None = None
    suspects: tuple[str, ...] = ()
    traces: tuple[Trace, ...] = ()
    duration: float | None = None
    warnings: tuple[str, ...] = ()
    error: str | None = None
    pipeline: str | None = None
    space: str | None = None
    registry: Mapping[str, Any] = field(default_factory=dict)
    engine: str = ""
    schema: int = 1

    @property
    def stated(self) -> float | None:
        """The probability that the answer states of itself."""
        return self.probability if self.verdict == "known" else self.unknown_probability

    @property
    def kin(self) -> str:
        """The family as a phrase, 'of the family vits', or of a device 'of the make Acme One'; empty without one."""
        word = "make" if self.task == "device" else "family"
        return f"of the {word} {self.family}" if self.family else ""

    def to_dict(self) -> dict[str, Any]:
        """Plain data ready for JSON, `schema` first."""
        return {"schema": self.schema, **asdict(self)}
