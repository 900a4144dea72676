"""Cards of sources in a YAML file: ids, each with what is known of the source.

    acme/voice-2:
      kind: system
      vendor: Acme
      languages: [en, de]

A field without a value stays empty. A fault is named with file, line and field.
"""

from collections.abc import Iterator
from importlib.resources.abc import Traversable
from pathlib import Path

import yaml

from earwitness.errors import CardError
from earwitness.types import Card
from earwitness_registry.cards import card_faults

__all__ = ["read_cards"]

EXAMPLE = "acme/voice-2: {vendor: Acme}"
TIMESTAMP = "tag:yaml.org,2002:timestamp"


class _Loader(yaml.SafeLoader):
    """Reads a date as text, as YAML 1.2 and the editors that know the schema do."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own
        first: [(tag, pattern) for tag, pattern in resolvers if tag != TIMESTAMP]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


class _Fault(yaml.MarkedYAMLError):
    """What YAML allows and a card doesn't, with its place."""


def read_cards(file: Path | Traversable) -> tuple[Card, ...]:
    """The cards of a file, in their order.

    Raises:
        CardError: The file can't be read, is not YAML, or a field holds what it can't; the text names file and line.
    """
    text = _text(file)
    try:
        loader = _Loader(text)
        if (root := loader.get_single_node()) is None:
            raise CardError(f"{file} holds no card: write one, as '{EXAMPLE}'")
        return tuple(_card(loader, *each) for each in _mapping(root, f"cards, as '{EXAMPLE}'"))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        fault = error.problem if isinstance(error, _Fault) else f"not YAML ({error.problem}); mend the line"
        raise CardError(f"{file}, line {line}: {fault}") from error
    except yaml.YAMLError as error:
        raise CardError(f"{file} is not YAML ({' '.join(str(error).split())}): save it as UTF-8 text") from error


def _text(file: Path | Traversable) -> str:
    try:
        return file.read_text("utf-8")
    except OSError as error:
        raise CardError(f"can't read the cards in {file}: {error.strerror or error}; check the path") from error
    except UnicodeDecodeError as error:
        raise CardError(f"{file} is not UTF-8 text: save it as such") from error


def _mapping(node: yaml.Node, what: str) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
    """Keys with their values; each key is plain text and stands once."""
    if not isinstance(node, yaml.MappingNode):
        raise _Fault(problem=f"here are no {what}", problem_mark=node.start_mark)
    lines: dict[str, int] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _Fault(problem="a key is plain text: take the brackets away", problem_mark=key.start_mark)
        if key.value in lines:
            fault = f"{key.value!r} stands in line {lines[key.value]} already: leave one of them out"
            raise _Fault(problem=fault, problem_mark=key.start_mark)
        lines[key.value] = key.start_mark.line + 1
        yield key, value


def _card(loader: yaml.SafeLoader, source: yaml.ScalarNode, body: yaml.Node) -> Card:
    """One card, from its id and its fields."""
    keys, values = {"id": source}, {"id": source.value}
    bare = body.tag == "tag:yaml.org,2002:null"
    for key, node in () if bare else _mapping(body, "fields, as 'vendor: Acme'"):
        if key.value == "id":
            fault = f"the id of this card is {source.value!r}, as its first line says: leave 'id' out"
            raise _Fault(problem=fault, problem_mark=key.start_mark)
        keys[key.value] = key
        values[key.value] = loader.construct_object(node, deep=True)
    for name, fault in card_faults(values):
        raise _Fault(problem=fault, problem_mark=keys[name].start_mark)
    return Card.from_dict(values)
