"""A pipeline: what happens to a window of sound, by name and parameters, as YAML.

    name: lfcc-resnet
    task: system
    rate: 16000          # Hz, or native: the clip's own, up to 48 kHz
    window: 4.0          # seconds; shorter clips are repeated to fill one; or clip: as long as the clip, up to 60 s
    hop: 2.0             # seconds between windows; has no part in a window as long as the clip
    frontend: lfcc60
    embedder: {resnet18: {width: 16}}
    scorer: {mahalanobis: {}}
    training: {epochs: 12, versions: [[], [{codec: {codec: mp3}}]]}

A part is a name, or a one-key mapping of name to parameters. YAML never imports anything.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Literal, Self

import yaml

from earwitness.contracts import (
    AnchorEmbedder,
    Degradation,
    Embedder,
    FittedEmbedder,
    Frontend,
    LearnedEmbedder,
    Scorer,
    ScorerPanel,
)
from earwitness.errors import PipelineError
from earwitness.parts import Settled, build, checked, describe, typed
from earwitness.plugins import Catalogue
from earwitness.types import Task
from earwitness.windows import Length

__all__ = ["Pipeline", "Recipe", "read_yaml"]

Chain = tuple[Degradation, ...]
Rate = int | Literal["native"]

HIGHEST_RATE = 48000
TYPICAL_RATE, TYPICAL_SECONDS = 16000, 4.0
"""Of a made-up window, where a pipeline takes any."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the embedder learns.

    Each training clip is rendered once per entry of `versions`, a chain of degradations; `crop` is the length
    of a training example in seconds; an epoch is `steps` batches, however many clips there are; `patience` the
    epochs without a better `dev` figure before it stops. With two `shots` or more, a batch is an episode of so many
    clips of each of `batch` / `shots` sources, told apart by one another's means; without, sources are the classes of
    a softmax. The learning rate follows one cycle up and down, falls to nothing in a line, or is divided by ten every
    `period` epochs.

    `losses` weigh the cross-entropy of the embedding, then that of each branch that the network shows, which learns
    under a head of its own; with none, the embedding's alone counts. `trained` names the network's parts that learn,
    all where none is named; the others stay as they are, their norms' statistics too. The head, softmax's layer, always
    learns: `[head]` is it alone.

    Of all this, an embedder fitted in closed form takes only `versions`, whole windows of all of them at once; so do
    anchors, but each clip in one version, these in turn.
    """

    epochs: int = 12
    steps: int = 40
    batch: int = 32
    learning_rate: float = 2e-3
    schedule: Literal["cycle", "linear", "steps"] = "cycle"
    period: int = 20
    weight_decay: float = 1e-2
    crop: float = 1.28
    shots: int = 0
    margin: float = 0.0
    scale: float = 16.0
    smoothing: float = 0.1
    patience: int = 6
    losses: tuple[float, ...] = ()
    trained: tuple[str, ...] = ()
    versions: tuple[Chain, ...] = ((),)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Windows of `window` seconds at `rate` Hz, every `hop` seconds, through frontend, embedder and scorer.

    A `rate` may be 'native', a `window` 'clip', but not with an embedder that is a network: it learns from, and is
    exported for, windows of one shape.
    """

    name: str
    frontend: Frontend
    embedder: Embedder | FittedEmbedder | AnchorEmbedder | LearnedEmbedder
    scorer: Scorer | ScorerPanel
    task: Task = "system"
    rate: Rate = 16000
    window: Length = 4.0
    hop: float = 2.0
    training: Recipe = field(default_factory=Recipe)

    REQUIRED: ClassVar[tuple[str, ...]] = ("name", "frontend", "embedder", "scorer")

    def __post_init__(self) -> None:
        if not ((self.rate == "native" or self.rate > 0) and (self.window == "clip" or 0 < self.hop <= self.window)):
            raise PipelineError(f"pipeline {self.name!r}: needs rate > 0 and 0 < hop <= window")
        if isinstance(self.embedder, LearnedEmbedder) and (self.rate == "native" or self.window == "clip"):
            raise PipelineError(
                f"pipeline {self.name!r}: a network learns from windows of one shape: give 'rate' in Hz and 'window' "
                "in seconds, or choose an embedder that is fitted or fixed"
            )

    def rate_at(self, native: int) -> int:
        """The rate in Hz at which a clip of a native rate is heard."""
        return min(native, HIGHEST_RATE) if self.rate == "native" else self.rate

    @property
    def length(self) -> int:
        """Samples in a window, or in a made-up one (of `TYPICAL_SECONDS`, at `TYPICAL_RATE`) where they differ."""
        return round(self.rate_at(TYPICAL_RATE) * (TYPICAL_SECONDS if self.window == "clip" else self.window))

    def to_dict(self) -> dict[str, Any]:
        """The pipeline as plain data, every parameter spelt out, and nothing learned."""
        frontend = self.frontend.part if isinstance(self.frontend, Settled) else self.frontend
        training = {
            **asdict(self.training),
            "versions": [[describe(d) for d in v] for v in self.training.versions],
        }
        return {
            "name": self.name,
            "task": self.task,
            "rate": self.rate,
            "window": self.window,
            "hop": self.hop,
            "frontend": describe(frontend),
            "embedder": describe(self.embedder),
            "scorer": describe(self.scorer),
            "training": training,
        }

    def to_yaml(self) -> str:
        """The pipeline as YAML that `from_yaml` reads back equal."""
        text: str = yaml.safe_dump(self.to_dict(), sort_keys=False)
        return text

    @classmethod
    def from_yaml(cls, text: str, catalogue: Catalogue) -> Self:
        """Read a pipeline; PipelineError or UnknownPartError say what can't be read."""
        return cls.from_dict(read_yaml(text, "the pipeline"), catalogue)

    @classmethod
    def from_dict(cls, data: Any, catalogue: Catalogue) -> Self:
        """Read a pipeline from plain data."""
        if not isinstance(data, Mapping) or (missing := [key for key in cls.REQUIRED if key not in data]):
            raise PipelineError(
                f"a pipeline needs {', '.join(cls.REQUIRED)}"
                + (f"; {missing[0]} is missing" if isinstance(data, Mapping) else "")
            )
        values = checked(cls, data, "a pipeline")
        for kind in ("frontend", "embedder", "scorer"):
            values[kind] = build(kind, data[kind], catalogue)
        values["training"] = _recipe(data.get("training") or {}, catalogue)
        return cls(**values)


def read_yaml(text: str, what: str) -> Any:
    """YAML as plain data; PipelineError when it is none."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise PipelineError(f"{what} is not YAML: {' '.join(str(error).split())}") from error


def _recipe(data: Any, catalogue: Catalogue) -> Recipe:
    """The `training:` block."""
    values = checked(Recipe, data, "training")
    if "versions" in values:
        values["versions"] = tuple(_chain(chain, catalogue) for chain in values["versions"])
    if "losses" in values:
        values["losses"] = tuple(typed(float, weight, "training: losses") for weight in values["losses"])
    return Recipe(**values)


def _chain(data: Any, catalogue: Catalogue) -> Chain:
    """One entry of `versions:`."""
    if not isinstance(data, tuple):
        raise PipelineError(f"training: version {data!r} is not a list of degradations, as in [gain, offset]")
    return tuple(build("degradation", each, catalogue) for each in data)
