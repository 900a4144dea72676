"""The form of a card: a file to be filled in, made from the one definition of a card's fields."""

from typing import Literal

import yaml

from earwitness_registry.cards import CardField, card_fields

__all__ = ["card_form"]

NOT_OF = {
    "system": ("id", "unit", "platform"),
    "device": ("id", "languages", "native_rate", "hop", "stages"),
}
"""Fields that have no place in the form of a kind."""

HEAD = "# What is known of the source besides how it sounds; what stays empty is not known.\n"


def card_form(source: str, kind: Literal["system", "device"]) -> str:
    """A card file for a source with an id such as acme/voice-2: vendor and model as the id has them, the rest empty."""
    vendor, _, model = source.partition("/")
    given = {"kind": kind, "vendor": vendor, "model": model or (vendor if kind == "device" else "")}
    shown = [field for field in card_fields().values() if field.name not in NOT_OF[kind]]
    return HEAD + f"{_scalar(source)}:\n" + "".join(_line(field, given.get(field.name)) for field in shown)


def _line(field: CardField, value: str | None) -> str:
    """A field with its value, if it has one, and what it holds."""
    return f"  {field.name}:{' ' + _scalar(value) if value else ''}  # {field.about}\n"


def _scalar(text: str) -> str:
    """Text as YAML has it on one line, in quotes where it needs them."""
    return str(yaml.safe_dump(text, allow_unicode=True, width=10**6)).removesuffix("...\n").strip()
