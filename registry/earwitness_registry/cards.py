"""The card of a source: what is known about it besides how it sounds.

The annotations of `Card` are the one definition of its fields: from them come the checks here, the JSON Schema that
editors read (docs/card.schema.json), and the form that `earwitness plugins new --card-only` writes.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import cache
from math import prod
from typing import Annotated, Any, Literal, Self, get_args, get_origin

from earwitness_registry.errors import RegistryError

Kind = Literal["system", "device", "genuine"]
Task = Literal["system", "device"]


def group_names(task: Task, family: str | None, vendor: str | None, model: str | None) -> tuple[str, ...]:
    """The groups of a source, from narrow to wide: of a device its model and brand, of a system its family."""
    if task == "system":
        return (family,) if family else ()
    narrow = family or (model and " ".join(filter(None, (vendor, model))))
    return tuple(dict.fromkeys(name for name in (narrow, vendor) if name))


@dataclass(frozen=True, slots=True)
class CardField:
    """What one field of a card holds: one of `words`, `whole` numbers or else text; `many` of them make a list."""

    name: str
    about: str
    words: tuple[str, ...] = ()
    whole: bool = False
    many: bool = False

    def fault(self, value: Any) -> str | None:
        """Why the field can't hold this, if it can't."""
        if self.many and not isinstance(value, list | tuple):
            return f"{self.name} is a list, such as [{value}]"
        return next(filter(None, map(self._fault_of_one, value if self.many else [value])), None)

    def _fault_of_one(self, value: Any) -> str | None:
        if self.words:
            return None if value in self.words else f"{self.name} {value!r} is none of {', '.join(self.words)}"
        if self.whole:
            sound = type(value) is int and value >= 1
            return None if sound else f"{self.name} takes whole numbers from 1 on, not {value!r}"
        return None if isinstance(value, str) else f"{self.name} is text, not {value!r}: put it in quotes"


@dataclass(frozen=True, slots=True)
class Card:
    """One enrollable source: a synthesis system, a recording device, or genuine speech; its fields say what they hold.

    Raises:
        RegistryError: A field holds what it can't; the text names the card and the field.
    """

    id: Annotated[str, "The name that answers give the source, as acme/voice-2."]
    kind: Annotated[Kind, "What the source is: a synthesis system, a recording device, or genuine speech."] = "system"
    family: Annotated[
        str | None,
        "The name that near kin share: an engine's; a device's model, where its own isn't enough.",
    ] = None
    vendor: Annotated[str | None, "Who makes it; of a device the brand."] = None
    model: Annotated[str | None, "What its maker calls it."] = None
    unit: Annotated[str | None, "What tells this device from others of its model, as a serial number."] = None
    platform: Annotated[str | None, "The driver or system that the device was recorded through."] = None
    released: Annotated[str | None, "When it came out, as '2025' or '2025-03'."] = None
    languages: Annotated[tuple[str, ...], "What it speaks, as [en, de]."] = ()
    licence: Annotated[str | None, "On what terms it may be used, as an SPDX identifier."] = None
    notes: Annotated[str | None, "Whatever else helps to read an answer that names it."] = None
    native_rate: Annotated[int | None, "Of a vocoder: the rate of its output in Hz."] = None
    hop: Annotated[int | None, "Of a vocoder: samples from frame to frame."] = None
    stages: Annotated[
        tuple[int, ...],
        "Of a vocoder: the factors by which its layers upsample, in their order; they multiply to the hop.",
    ] = ()

    def __post_init__(self) -> None:
        _refuse_faults({name: getattr(self, name) for name in card_fields()})

    @property
    def task(self) -> Task:
        """The question this source is an answer to; genuine speech is an answer to 'which system'."""
        return "device" if self.kind == "device" else "system"

    @property
    def groups(self) -> tuple[str, ...]:
        """What can be said of it where its id can't, from narrow to wide: a device's model and brand, else a family."""
        return group_names(self.task, self.family, self.vendor, self.model)

    def to_dict(self) -> dict[str, Any]:
        """The card as plain data, without its empty fields."""
        return {key: value for key, value in asdict(self).items() if value not in (None, (), [])}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """A card from plain data; a field that is None stays empty, an unknown one is an error that names the known."""
        _refuse_faults(data)
        values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in data.items()}
        return cls(**{name: value for name, value in values.items() if value is not None})


@cache
def card_fields() -> Mapping[str, CardField]:
    """The fields of a card by name, in their order."""
    return {field.name: _field(field.name, *get_args(field.type)) for field in fields(Card)}


def _field(name: str, kind: Any, about: str) -> CardField:
    """A field as its annotation has it: `Literal`, `X`, `X | None` or `tuple[X, ...]` of text or whole numbers."""
    if get_origin(kind) is Literal:
        return CardField(name, about, words=get_args(kind))
    element = next(iter(get_args(kind)), kind)
    return CardField(name, about, whole=element is int, many=get_origin(kind) is tuple)


def card_faults(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is wrong with a card's values, of which None is an empty one: each field at fault, and the reason."""
    found = [(name, fault) for name, value in data.items() if (fault := _field_fault(name, value))]
    if data.get("id") is None:
        found.append(("id", "it needs an id"))
    hop, stages = data.get("hop"), data.get("stages")
    if not found and hop and stages and prod(stages) != hop:
        found.append(("stages", f"its stages multiply to {prod(stages)}, its hop is {hop}: mend one of them"))
    return found


def _field_fault(name: str, value: Any) -> str | None:
    """Why a card can't have this value in a field of that name, if it can't."""
    known = card_fields()
    if name not in known:
        return f"unknown field {name!r}; known are {', '.join(known)}"
    return None if value is None else known[name].fault(value) or (_id_fault(value) if name == "id" else None)


def _refuse_faults(data: Mapping[str, Any]) -> None:
    """Raise RegistryError for the first fault."""
    for _, fault in card_faults(data):
        raise RegistryError(f"card {data.get('id')!r}: {fault}")


def _id_fault(source: str) -> str | None:
    """Why this can't be what a source is called, if it can't."""
    if source == "unknown":
        return "'unknown' can't be a source: it is the answer when no source fits; choose another id"
    if not source or source != source.strip() or any(c < " " for c in source):
        return f"id {source!r} is not a name: give one printable line without blanks around it"
    return None
