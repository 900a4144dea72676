"""Every part: a class that a pipeline names, whose fields are its parameters."""

import pickle
from dataclasses import MISSING, fields, is_dataclass

import yaml

from earwitness.contracts import (
    AnchorEmbedder,
    CorpusReader,
    Degradation,
    Embedder,
    FittedEmbedder,
    Frontend,
    LearnedEmbedder,
    Scorer,
    ScorerPanel,
    Synthesizer,
    Tracer,
)
from earwitness.parts import build, describe
from earwitness.testing.bench import Offer, expect

__all__ = ["CONTRACTS", "FIRST", "RULES"]

CONTRACTS = {
    "frontend": (Frontend,),
    "embedder": (Embedder, FittedEmbedder, AnchorEmbedder, LearnedEmbedder),
    "scorer": (Scorer, ScorerPanel),
    "tracer": (Tracer,),
    "degradation": (Degradation,),
    "synthesizer": (Synthesizer,),
    "corpus": (CorpusReader,),
}


def frozen_dataclass_with_defaults(offer: Offer) -> None:
    """Is a frozen dataclass whose every field has a default, so that its name alone makes one."""
    part = offer.value
    expect(is_dataclass(part), "it is no dataclass")
    expect(part.__dataclass_params__.frozen, "it is not frozen: @dataclass(frozen=True)")
    bare = [f.name for f in fields(part) if f.init and f.default is MISSING and f.default_factory is MISSING]
    expect(not bare, f"no default for {', '.join(bare)}")


def meets_its_contract(offer: Offer) -> None:
    """Has the methods that its kind asks for."""
    contracts = CONTRACTS[offer.kind]
    names = " or ".join(contract.__name__ for contract in contracts)
    expect(isinstance(offer.value(), contracts), f"it is no {names} of earwitness.contracts")


def comes_back_from_yaml(offer: Offer) -> None:
    """Comes back equal from a pipeline's YAML, every parameter spelt out."""
    part = offer.value()
    back = build(offer.kind, yaml.safe_load(yaml.safe_dump(describe(part))), offer.catalogue)
    expect(back == part, f"{part!r} came back as {back!r}")


def comes_back_from_pickling(offer: Offer) -> None:
    """Comes back equal from pickling, as it must to reach another process."""
    part = offer.value()
    back = pickle.loads(pickle.dumps(part))  # noqa: S301 - what was pickled here; never what was learned
    expect(back == part, f"{part!r} came back as {back!r}")


def equal_parts_have_equal_hashes(offer: Offer) -> None:
    """Is hashable, and two with the same parameters count as one."""
    expect(len({offer.value(), offer.value()}) == 1, "two with the same parameters are not equal")


FIRST = (frozen_dataclass_with_defaults, meets_its_contract)
"""Of a part that breaks one of these, nothing else can be asked."""

RULES = (*FIRST, comes_back_from_yaml, comes_back_from_pickling, equal_parts_have_equal_hashes)
