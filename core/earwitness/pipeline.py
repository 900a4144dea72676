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

A part is a name, or a one-key mapping of name to parameters. YAML never imports anything. Several pipelines make
one that asks them all and fuses what they say:

    name: wild
    experts: {cyclic: {}, residual: {window: 6.0}}
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, cast, get_args, get_origin

import yaml

from earwitness.contracts import (
    AnchorEmbedder,
    Degradation,
    Embedder,
    FittedEmbedder,
    FittedFrontend,
    Frontend,
    LearnedEmbedder,
    Part,
    Scorer,
    ScorerPanel,
)
from earwitness.errors import PipelineError
from earwitness.plugins import Catalogue
from earwitness.types import FloatArray, State, Task
from earwitness.windows import Length

__all__ = ["Pipeline", "Recipe", "Settled", "build", "describe", "load_experts", "load_pipeline", "override"]

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
class Settled:
    """A fitted frontend with what it has learned, which `digest` stands for: a frontend like any other."""

    name: ClassVar[str] = "settled"
    part: FittedFrontend
    digest: str
    state: State = field(repr=False, compare=False)

    def __call__(self, samples: FloatArray, rate: int) -> FloatArray:
        """(B, n) -> (B, frames, dims)."""
        return self.part.features(self.state, self.part(samples, rate))


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
        return cls.from_dict(_plain_yaml(text, "the pipeline"), catalogue)

    @classmethod
    def from_dict(cls, data: Any, catalogue: Catalogue) -> Self:
        """Read a pipeline from plain data."""
        if not isinstance(data, Mapping) or (missing := [key for key in cls.REQUIRED if key not in data]):
            raise PipelineError(
                f"a pipeline needs {', '.join(cls.REQUIRED)}"
                + (f"; {missing[0]} is missing" if isinstance(data, Mapping) else "")
            )
        values = _checked(cls, data, "a pipeline")
        for kind in ("frontend", "embedder", "scorer"):
            values[kind] = build(kind, data[kind], catalogue)
        values["training"] = _recipe(data.get("training") or {}, catalogue)
        return cls(**values)


def _plain_yaml(text: str, what: str) -> Any:
    """YAML as plain data; PipelineError when it is none."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise PipelineError(f"{what} is not YAML: {' '.join(str(error).split())}") from error


def _recipe(data: Any, catalogue: Catalogue) -> Recipe:
    """The `training:` block."""
    values = _checked(Recipe, data, "training")
    if "versions" in values:
        values["versions"] = tuple(_chain(chain, catalogue) for chain in values["versions"])
    if "losses" in values:
        values["losses"] = tuple(_typed(float, weight, "training: losses") for weight in values["losses"])
    return Recipe(**values)


def _chain(data: Any, catalogue: Catalogue) -> Chain:
    """One entry of `versions:`."""
    if not isinstance(data, tuple):
        raise PipelineError(f"training: version {data!r} is not a list of degradations, as in [gain, offset]")
    return tuple(build("degradation", each, catalogue) for each in data)


def build(kind: str, spec: Any, catalogue: Catalogue) -> Any:
    """A part from YAML data, its name or a one-key mapping of name to parameters; what `describe` gives, read back."""
    if isinstance(spec, Mapping) and len(spec) == 1:
        ((name, parameters),) = spec.items()
    else:
        name, parameters = spec, {}
    if not isinstance(name, str) or not isinstance(parameters or {}, Mapping):
        raise PipelineError(f"{kind} {spec!r} is neither a name nor one name with its parameters")
    part = catalogue.get(kind, name)
    return part(**_checked(part, parameters or {}, f"{kind} {name!r}"))


def _checked(cls: type[Any], data: Any, what: str) -> dict[str, Any]:
    """Plain data as keyword arguments for a dataclass; a key that is none of its fields is an error."""
    if not isinstance(data, Mapping):
        raise PipelineError(f"{what} is {data!r}, not keys with their values")
    types = {f.name: f.type for f in fields(cls)}
    if strange := [key for key in data if key not in types]:
        raise PipelineError(f"{what} has no parameter {strange[0]!r}; it has {', '.join(types) or 'none'}")
    return {key: _typed(types[key], _frozen(value), f"{what}: {key}") for key, value in data.items()}


def _typed(kind: Any, value: Any, what: str) -> Any:
    """A YAML value as a field of a plain type wants it: 1e-3 is text to YAML, and 4 an integer."""
    if get_origin(kind) is Literal and value not in get_args(kind):
        raise PipelineError(f"{what} is {value!r}, not one of {', '.join(map(str, get_args(kind)))}")
    kind, words = _parted(kind)
    if value in words:
        return value
    plain = get_origin(kind) or kind
    try:
        value = float(value) if plain is float and not isinstance(value, bool) else value
    except (TypeError, ValueError):
        raise PipelineError(f"{what} is {value!r}, not a number{_or(words)}") from None
    if plain in (int, float, str, tuple) and (not isinstance(value, plain) or isinstance(value, bool)):
        raise PipelineError(f"{what} is {value!r}, not of type {plain.__name__}{_or(words)}")
    return value


def _parted(kind: Any) -> tuple[Any, tuple[str, ...]]:
    """A type, and the words that may stand in its place: `int | Literal["native"]` is int, or native."""
    kinds = get_args(kind)
    words = tuple(word for each in kinds if get_origin(each) is Literal for word in get_args(each))
    return (kinds[0], words) if words else (kind, ())


def _or(words: tuple[str, ...]) -> str:
    return "".join(f" or {word!r}" for word in words)


def _frozen(value: Any) -> Any:
    """YAML's lists as tuples, so that parts stay hashable."""
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value


def describe(part: Part) -> dict[str, dict[str, Any]]:
    """A part as YAML data: name to every parameter, so that a changed default changes the digest."""
    if isinstance(part, Settled):
        return {part.name: {"part": describe(part.part), "digest": part.digest}}
    parameters = {f.name: getattr(part, f.name) for f in fields(cast(Any, part))}
    return {part.name: {key: _plain(value) for key, value in parameters.items()}}


def _plain(value: Any) -> Any:
    """Tuples as YAML's lists."""
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def override(data: dict[str, Any], assignment: str) -> dict[str, Any]:
    """Plain pipeline data with one value set: `training.epochs=5`, `embedder.resnet18.width=8`, `scorer=knn`."""
    path, equals, text = assignment.partition("=")
    if not equals:
        raise PipelineError(f"--set {assignment!r} is not key=value, as in training.epochs=5")
    head, _, rest = path.partition(".")
    value = override(_opened(data.get(head)), f"{rest}={text}") if rest else _plain_yaml(text, f"--set {path}")
    return {**data, head: value}


def _opened(value: Any) -> dict[str, Any]:
    """A value that can hold keys: a bare part name becomes name -> parameters."""
    return dict(value) if isinstance(value, Mapping) else {value: {}} if isinstance(value, str) else {}


def load_pipeline(name: str, catalogue: Catalogue, settings: tuple[str, ...] = ()) -> Pipeline:
    """A pipeline by its registered name or from a YAML file, with `--set` assignments applied."""
    return Pipeline.from_dict(_read(name, catalogue, settings), catalogue)


def load_experts(name: str, catalogue: Catalogue, settings: tuple[str, ...] = ()) -> tuple[Pipeline, ...]:
    """The experts of a pipeline, by its registered name or from a YAML file; one that names none is its only expert.

    `experts:` maps the names of registered pipelines to what is changed in them, `{}` for nothing, so that an
    assignment reads `--set experts.residual.window=6`.

    Raises:
        PipelineError: an expert's name or changes can't be read, two have one name, or they answer different tasks.
    """
    data = _read(name, catalogue, settings)
    if not isinstance(data, Mapping) or "experts" not in data:
        return (Pipeline.from_dict(data, catalogue),)
    if strange := [key for key in data if key not in ("name", "experts")]:
        raise PipelineError(f"{name} has experts, and so only 'name' and 'experts': move {strange[0]!r} to an expert")
    if not isinstance(changes := data["experts"], Mapping) or not changes:
        raise PipelineError(f"{name}: experts is {changes!r}, not names with what is changed, as in {{residual: {{}}}}")
    experts = tuple(_changed(each, values or {}, catalogue) for each, values in changes.items())
    if len({expert.task for expert in experts}) != 1 or len({expert.name for expert in experts}) != len(experts):
        raise PipelineError(f"{name}: its experts must have a name each and all be of one task")
    return experts


def _changed(name: str, changes: Any, catalogue: Catalogue) -> Pipeline:
    """A registered pipeline with some of its lines changed; of its training recipe only those that are named."""
    data = _read(name, catalogue)
    if not isinstance(data, Mapping) or not isinstance(changes, Mapping):
        raise PipelineError(f"expert {name!r}: {changes!r} is not a pipeline's lines, as in {{window: 6.0}}")
    training = changes.get("training", {})
    if isinstance(training, Mapping):
        training = {**_opened(data.get("training")), **training}
    return Pipeline.from_dict({**data, **changes, "training": training}, catalogue)


def _read(name: str, catalogue: Catalogue, settings: tuple[str, ...] = ()) -> Any:
    """The plain data of a registered pipeline or a YAML file."""
    file = Path(name)
    text = (
        file.read_text(encoding="utf-8")
        if file.suffix in {".yaml", ".yml"} and file.is_file()
        else catalogue.get("pipeline", name)
    )
    data = _plain_yaml(text, name)
    for assignment in settings:
        data = override(_opened(data), assignment)
    return data
