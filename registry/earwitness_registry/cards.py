"""The card of a source: what is known about it besides how it sounds."""

from dataclasses import asdict, dataclass, fields
from math import prod
from typing import Any, Literal, Self, get_args

from earwitness_registry.errors import RegistryError

Kind = Literal["system", "device", "genuine"]
Task = Literal["system", "device"]

_LISTS = ("languages", "stages")


def group_names(task: Task, family: str | None, vendor: str | None, model: str | None) -> tuple[str, ...]:
    """The groups of a source, from narrow to wide: of a device its model and brand, of a system its family."""
    if task == "system":
        return (family,) if family else ()
    narrow = family or (model and " ".join(filter(None, (vendor, model))))
    return tuple(dict.fromkeys(name for name in (narrow, vendor) if name))


@dataclass(frozen=True, slots=True)
class Card:
    """One enrollable source: a synthesis system, a recording device, or genuine speech.

    `family` is the name that near kin share (an engine's; a device's model, where its own isn't enough). Of a device,
    `vendor` is the brand, `unit` tells this one from others of its model (a serial number), and `platform` is the
    driver or system that it was recorded through. Of a vocoder, `native_rate` is in Hz, `hop` in samples from frame to
    frame, and `stages` are the factors by which its layers upsample, in their order, so that they multiply to the hop.
    """

    id: str
    kind: Kind = "system"
    family: str | None = None
    vendor: str | None = None
    model: str | None = None
    unit: str | None = None
    platform: str | None = None
    released: str | None = None
    languages: tuple[str, ...] = ()
    licence: str | None = None
    notes: str | None = None
    native_rate: int | None = None
    hop: int | None = None
    stages: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not self.id or self.id != self.id.strip() or any(c < " " for c in self.id):
            raise RegistryError(
                f"source id {self.id!r} is not a name: give one printable line without blanks around it"
            )
        if self.id == "unknown":
            raise RegistryError("'unknown' can't be a source: it is the answer when no source fits; choose another id")
        if self.kind not in get_args(Kind):
            raise RegistryError(f"card {self.id!r}: kind {self.kind!r} is none of {', '.join(get_args(Kind))}")
        self._check_device()
        self._check_vocoder()

    def _check_device(self) -> None:
        """Raise RegistryError unless unit and platform are text: a bare number in YAML isn't."""
        for name, value in (("unit", self.unit), ("platform", self.platform)):
            if value is not None and not isinstance(value, str):
                raise RegistryError(f"card {self.id!r}: {name} is text, not {value!r}: put it in quotes")

    def _check_vocoder(self) -> None:
        """Raise RegistryError unless rate, hop and stages are whole, positive and agree."""
        given = [("native_rate", self.native_rate), ("hop", self.hop), *(("stages", stage) for stage in self.stages)]
        for name, value in given:
            if value is not None and (type(value) is not int or value < 1):
                raise RegistryError(f"card {self.id!r}: {name} takes whole numbers from 1 on, not {value!r}")
        if self.hop and self.stages and prod(self.stages) != self.hop:
            raise RegistryError(
                f"card {self.id!r}: its stages multiply to {prod(self.stages)}, its hop is {self.hop}: mend one of them"
            )

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
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """A card from plain data; an unknown field is an error that names the known ones."""
        known = [field.name for field in fields(cls)]
        if strange := sorted(set(data) - set(known)):
            raise RegistryError(f"card {data.get('id')!r}: unknown field {strange[0]!r}; known are {', '.join(known)}")
        if "id" not in data:
            raise RegistryError("a card needs an id")
        lists = {name: data[name] for name in _LISTS if name in data}
        if single := [name for name, value in lists.items() if not isinstance(value, list | tuple)]:
            raise RegistryError(f"card {data['id']!r}: {single[0]} is a list, such as [{data[single[0]]}]")
        return cls(**{**data, **{name: tuple(value) for name, value in lists.items()}})
