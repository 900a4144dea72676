"""Cards: what is known of a source besides how it sounds."""

import json
from collections.abc import Iterator
from contextlib import suppress

import yaml

from earwitness.errors import EarwitnessError
from earwitness.loading import load_experts
from earwitness.plugins import Catalogue
from earwitness.testing.bench import Offer, expect
from earwitness.types import Card, Task

__all__ = ["RULES"]


def says_who_made_it(offer: Offer) -> None:
    """Says who made the source: a system its vendor or its family, a device its vendor and its model."""
    card: Card = offer.value
    if card.kind == "system":
        expect(bool(card.vendor or card.family), "it has neither vendor nor family")
    if card.kind == "device":
        missing = [name for name in ("vendor", "model") if not getattr(card, name)]
        expect(not missing, f"it has no {' and no '.join(missing)}")


def comes_back_from_plain_data(offer: Offer) -> None:
    """Comes back equal from YAML and from JSON, as registries and files keep it."""
    card: Card = offer.value
    for data in (yaml.safe_load(yaml.safe_dump(card.to_dict())), json.loads(json.dumps(card.to_dict()))):
        expect(Card.from_dict(data) == card, f"it comes back as {data}")


def some_pipeline_can_tell_it(offer: Offer) -> None:
    """Has an installed pipeline that answers its question, which system or which device."""
    card: Card = offer.value
    expect(card.task in _tasks(offer.catalogue), f"no installed pipeline is of task {card.task}")


def _tasks(catalogue: Catalogue) -> Iterator[Task]:
    """The questions that pipelines answer; one that can't be read is another check's to tell."""
    for name in catalogue.names("pipeline"):
        with suppress(EarwitnessError):
            yield load_experts(name, catalogue)[0].task


RULES = (says_who_made_it, comes_back_from_plain_data, some_pipeline_can_tell_it)
