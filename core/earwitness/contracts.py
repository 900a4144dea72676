"""What a plugin's objects must be able to do. Hooks discover them; these protocols do the work.

Parts are frozen dataclasses whose fields are their parameters, with defaults; `name` is how a pipeline's
YAML calls them. What a part *learns* is separate: a `State` of named arrays. Nothing here changes its input.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

import numpy as np

from earwitness.types import Clip, FloatArray, IntArray, Scores, State, Trace

if TYPE_CHECKING:
    import torch

__all__ = [
    "AnchorEmbedder",
    "Branched",
    "CorpusReader",
    "Degradation",
    "Embedder",
    "FittedEmbedder",
    "FittedFrontend",
    "Frontend",
    "Gallery",
    "LearnedEmbedder",
    "Part",
    "Scorer",
    "ScorerPanel",
    "Synthesizer",
    "Tracer",
    "Utterance",
    "Voice",
]


class Part(Protocol):
    """Anything a pipeline names."""

    name: ClassVar[str]


@runtime_checkable
class Frontend(Part, Protocol):
    """Windows of sound to features."""

    def __call__(self, samples: FloatArray, rate: int) -> FloatArray:
        """(B, n) at `rate` Hz -> (B, frames, dims), finite for any input; each window on its own."""
        ...


@runtime_checkable
class FittedFrontend(Frontend, Protocol):
    """Windows of sound to features, by arrays found from the frames of training clips; NumPy throughout.

    Called like any frontend it gives these frames. A pipeline's model makes features of them by what was learned.
    """

    def fit(self, clips: Iterable[FloatArray]) -> State:
        """What it learns from clips, each the frames of its windows (B, frames, dims); the same input, the same state.

        Clips may be gone through again and again, and are read from disk each time.
        """
        ...

    def features(self, state: State, frames: FloatArray) -> FloatArray:
        """(B, frames, dims) -> (B, frames', dims'), finite for any input; each window on its own."""
        ...


@runtime_checkable
class Embedder(Part, Protocol):
    """Features to one vector a window, with nothing to learn."""

    def __call__(self, features: FloatArray) -> FloatArray:
        """(B, frames, dims) -> (B, d), finite; the pipeline makes it unit."""
        ...


@runtime_checkable
class FittedEmbedder(Part, Protocol):
    """Features to one vector a window, by arrays found in closed form from labelled windows; NumPy throughout.

    All it reads of a window is the mean of its frames, so that windows of any length can be put together.
    """

    def fit(self, features: FloatArray, labels: IntArray, cells: IntArray) -> State:
        """What it learns from windows (N, frames, dims) and their classes (N,); the same input, the same state.

        `cells` (N,) number the voices, or whatever else a class comes in and should be told apart in spite of;
        no cell has windows of two classes.
        """
        ...

    def embed(self, state: State, features: FloatArray) -> FloatArray:
        """(B, frames, dims) -> (B, d), finite; the pipeline makes it unit."""
        ...


@runtime_checkable
class AnchorEmbedder(Part, Protocol):
    """Features to how well a window fits each class learned from, its anchors; NumPy throughout.

    It learns from frames, so that whole distributions can be fitted. The axis of a class is its direction: a rule that
    takes heads answers with the class that fits best.
    """

    def fit_frames(self, clips: Iterable[FloatArray], labels: IntArray) -> State:
        """What it learns from clips, each the frames of its windows (B, frames, dims), and their classes (clips,).

        Classes are numbered from 0, each with a clip or more; the same input, the same state. Clips may be gone through
        again and again, and are read from disk each time.
        """
        ...

    def embed(self, state: State, features: FloatArray) -> FloatArray:
        """(B, frames, dims) -> (B, classes), finite, larger for a better fit; the pipeline makes it unit."""
        ...


@runtime_checkable
class LearnedEmbedder(Part, Protocol):
    """Features to one vector a window, by a network that learns in torch and answers as ONNX."""

    def network(self, dims: int) -> "torch.nn.Module":
        """A freshly initialised module (B, frames, dims) -> (B, d); imports torch when called, not before.

        One that is `Branched` too can learn under a loss for each of its branches.
        """
        ...


@runtime_checkable
class Branched(Protocol):
    """A network that shows what its branches give, for `losses` in a pipeline's training."""

    def branches(self, features: "torch.Tensor") -> "tuple[torch.Tensor, ...]":
        """(B, frames, dims) -> the embedding (B, d), as when called, then what each branch gives, (B, d')."""
        ...


class Gallery(Protocol):
    """The enrolled rows of one space, as a scorer sees them.

    `sources` are the K ids; `heads` (K, d) what training learned of them; `embeddings` (N, d) unit; `labels` (N,) index
    into `sources`; `clips` (N,) tells which rows are windows of one clip, and `cells` (N,) which are of one voice,
    speaker or page of a source.
    """

    sources: tuple[str, ...]

    @property
    def embeddings(self) -> FloatArray:
        """(N, d)."""
        ...

    @property
    def labels(self) -> IntArray:
        """(N,)."""
        ...

    @property
    def heads(self) -> FloatArray:
        """Unit directions that training learned for a source, (K, d); a zero row where it learned none."""
        ...

    @property
    def clips(self) -> IntArray:
        """(N,)."""
        ...

    @property
    def cells(self) -> IntArray:
        """(N,)."""
        ...

    def search(self, queries: FloatArray, k: int) -> tuple[FloatArray, IntArray]:
        """(B, d) -> cosine similarities (B, k'), best first, and their rows (B, k'), k' = min(k, N)."""
        ...


@runtime_checkable
class Scorer(Part, Protocol):
    """An open-set rule over unit embeddings."""

    def fit(self, gallery: Gallery) -> State:
        """What the rule learns from the enrolled rows; works from one source with one row on."""
        ...

    def score(self, state: State, gallery: Gallery, queries: FloatArray) -> Scores:
        """(B, d) -> values (B, K), comparable like logits, and knownness (B,); each query on its own."""
        ...


@runtime_checkable
class ScorerPanel(Part, Protocol):
    """Several rules over one space, of which calibration chooses the one that development clips bear out."""

    @property
    def scorers(self) -> "tuple[Scorer, ...]":
        """The rules, each of another name; the first answers until one is chosen."""
        ...


@runtime_checkable
class Tracer(Part, Protocol):
    """What a stretch of sound shows of its own making, with nothing enrolled and nothing learned here."""

    def __call__(self, clip: Clip) -> tuple[Trace, ...]:
        """What a stretch at its native rate shows, a minute at most, levelled as a window is; traces lie within it."""
        ...


@runtime_checkable
class Degradation(Part, Protocol):
    """Something that happens to sound between its source and us: a codec, a room, a level."""

    def __call__(self, samples: FloatArray, rate: int, rng: np.random.Generator) -> FloatArray:
        """(n,) -> (n,) at the same rate, in time with the input; all chance comes from `rng`."""
        ...


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice of a synthesizer: its `name` there and its `language` as two letters (ISO 639-1).

    `source` is the id of the system that it is of, where that isn't the synthesizer's name: one program may hold
    engines that sound nothing alike.
    """

    name: str
    language: str
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Utterance:
    """What is to be spoken: `rate` and `pitch` are factors, 1 = as the voice has it, 2 = twice as fast or as high."""

    text: str
    voice: Voice
    rate: float = 1.0
    pitch: float = 1.0


@runtime_checkable
class Synthesizer(Part, Protocol):
    """A program on this machine, or a service, that speaks: what makes reference clips of a system.

    `brings` is the command that installs it; `rates` and `pitches` are the least and the greatest factor that it can
    be asked for, both 1 where it has no such control.
    """

    brings: ClassVar[str]
    rates: ClassVar[tuple[float, float]]
    pitches: ClassVar[tuple[float, float]]

    def version(self) -> str | None:
        """The version that is installed here, or None where there is none."""
        ...

    def voices(self) -> tuple[Voice, ...]:
        """What it can speak in, each of another name; asked for only where it is installed."""
        ...

    def speak(self, utterance: Utterance, file: Path) -> None:
        """Write the speech to `file` in a form that core can decode; a SynthesisError says why it can't be had."""
        ...


@runtime_checkable
class CorpusReader(Part, Protocol):
    """A known layout of files to the rows of a manifest."""

    def __call__(self, root: Path) -> Iterable[Mapping[str, str]]:
        """The clips of the corpus in `root`, a folder or its one list, in an order that no file system decides.

        `root` is absolute. A row holds what columns of a manifest it can fill, all as text: `path`, absolute or from
        the folder on, `source` (`genuine` for people, empty or `unknown` for none known), `task`, `split`, `speaker`,
        `text_id`, `session`, `corpus`, `start`, `end`, and whatever else the corpus says. A clip that is listed and
        isn't there is a row too. A ManifestError names the file that was looked for and the way out.
        """
        ...
