"""Parts as plain data: from YAML's names and parameters to the thing that computes, and back.

A part is a name, or a one-key mapping of name to parameters: `lfcc60`, `{resnet18: {width: 16}}`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Literal, cast, get_args, get_origin

from earwitness.contracts import FittedFrontend, Part
from earwitness.errors import PipelineError
from earwitness.plugins import Catalogue
from earwitness.types import FloatArray, State

__all__ = ["Settled", "build", "checked", "describe", "typed"]


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


def build(kind: str, spec: Any, catalogue: Catalogue) -> Any:
    """A part from YAML data, its name or a one-key mapping of name to parameters; what `describe` gives, read back."""
    if isinstance(spec, Mapping) and len(spec) == 1:
        ((name, parameters),) = spec.items()
    else:
        name, parameters = spec, {}
    if not isinstance(name, str) or not isinstance(parameters or {}, Mapping):
        raise PipelineError(f"{kind} {spec!r} is neither a name nor one name with its parameters")
    part = catalogue.get(kind, name)
    return part(**checked(part, parameters or {}, f"{kind} {name!r}"))


def describe(part: Part) -> dict[str, dict[str, Any]]:
    """A part as YAML data: name to every parameter, so that a changed default changes the digest."""
    if isinstance(part, Settled):
        return {part.name: {"part": describe(part.part), "digest": part.digest}}
    parameters = {f.name: getattr(part, f.name) for f in fields(cast(Any, part))}
    return {part.name: {key: _plain(value) for key, value in parameters.items()}}


def _plain(value: Any) -> Any:
    """Tuples as YAML's lists."""
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def checked(cls: type[Any], data: Any, what: str) -> dict[str, Any]:
    """Plain data as keyword arguments for a dataclass; a key that is none of its fields is an error."""
    if not isinstance(data, Mapping):
        raise PipelineError(f"{what} is {data!r}, not keys with their values")
    types = {f.name: f.type for f in fields(cls)}
    if strange := [key for key in data if key not in types]:
        raise PipelineError(f"{what} has no parameter {strange[0]!r}; it has {', '.join(types) or 'none'}")
    return {key: typed(types[key], _frozen(value), f"{what}: {key}") for key, value in data.items()}


def typed(kind: Any, value: Any, what: str) -> Any:
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
