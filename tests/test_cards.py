"""Cards: what may stand on one, and that it comes back from plain data."""

import json
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earwitness.plugins import load_catalogue
from earwitness_registry import Card
from earwitness_registry.errors import RegistryError
from earwitness_voices import register_sources

stages = st.lists(st.integers(1, 12), max_size=5).map(tuple)


@given(st.one_of(st.none(), st.integers(1, 192000)), stages, st.lists(st.sampled_from(["de", "en"])).map(tuple))
def test_a_card_comes_back_from_json(rate, factors, languages):
    hop = prod(factors) if factors else None
    card = Card("piper", languages=languages, native_rate=rate, hop=hop, stages=factors)
    assert Card.from_dict(json.loads(json.dumps(card.to_dict()))) == card


def test_empty_fields_are_left_out():
    assert Card("piper").to_dict() == {"id": "piper", "kind": "system"}
    card = Card.from_dict({"id": "piper", "native_rate": 22050, "hop": 256, "stages": [8, 8, 4]})
    assert (card.native_rate, card.hop, card.stages) == (22050, 256, (8, 8, 4))
    assert Card("k", stages=(10, 6)).hop is None
    assert Card("k", hop=300).stages == ()


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"stages": [8, 8, 2, 2], "hop": 300}, "stages multiply to 256, its hop is 300"),
        ({"hop": 0}, "hop takes whole numbers from 1 on, not 0"),
        ({"native_rate": -8000}, "native_rate takes whole numbers"),
        ({"native_rate": 22050.0}, "not 22050.0"),
        ({"hop": "256"}, "not '256'"),
        ({"hop": True}, "not True"),
        ({"stages": [8, 0]}, "stages takes whole numbers from 1 on, not 0"),
        ({"stages": 256}, r"stages is a list, such as \[256\]"),
        ({"languages": "en"}, r"languages is a list, such as \[en\]"),
        ({"unit": 2}, "unit is text, not 2: put it in quotes"),
        ({"platform": ["alsa"]}, r"platform is text, not \['alsa'\]"),
        ({"rate": 24000}, "unknown field 'rate'; known are .*native_rate, hop, stages"),
    ],
)
def test_what_can_not_be_is_refused_in_one_sentence(fields, fault):
    with pytest.raises(RegistryError, match=fault):
        Card.from_dict({"id": "piper", **fields})


@pytest.mark.parametrize(
    ("fields", "groups"),
    [
        ({"kind": "device", "vendor": "Jabra", "model": "Evolve 20", "unit": "b"}, ("Jabra Evolve 20", "Jabra")),
        ({"kind": "device", "vendor": "Jabra", "model": "Evolve 20", "family": "Evolve"}, ("Evolve", "Jabra")),
        ({"kind": "device", "vendor": "Jabra", "family": "Jabra"}, ("Jabra",)),
        ({"kind": "device", "vendor": "Jabra", "platform": "ALSA"}, ("Jabra",)),
        ({"kind": "device", "model": "Evolve 20"}, ("Evolve 20",)),
        ({"kind": "device", "unit": "b"}, ()),
        ({"family": "vits", "vendor": "Acme", "model": "Voice 2"}, ("vits",)),
        ({"kind": "genuine", "vendor": "Acme"}, ()),
    ],
)
def test_groups_go_from_narrow_to_wide(fields, groups):
    """A device's model and brand; of a system its family alone, for vendors sell systems of many kinds."""
    card = Card("it", **fields)
    assert card.groups == groups
    assert Card.from_dict(card.to_dict()) == card


def test_a_plugin_reads_vocoders_from_its_cards(install):
    install(
        "acme-voices",
        """
import yaml
from earwitness import hookimpl
from earwitness.types import Card

@hookimpl
def register_sources():
    card = yaml.safe_load("{id: acme, native_rate: 24000, hop: 300, stages: [10, 6, 5]}")
    return [Card.from_dict(card)]
""",
    )
    card = load_catalogue().card("acme")
    assert (card.native_rate, card.hop, card.stages) == (24000, 300, (10, 6, 5))


def test_the_voices_cards_name_lattices_that_were_measured():
    """Spacings in Hz as found in published clips, and near kin of one lattice in one family."""
    cards = {card.id: card for card in register_sources()}
    spacing = {name: card.native_rate / card.hop for name, card in cards.items() if card.hop}
    at = {hz: {name for name, each in spacing.items() if abs(each / hz - 1) < 1e-4} for hz in (86.1328, 80, 93.75, 75)}
    assert at[80] == {"kokoro", "kittentts", "openai-tts"}
    assert {"piper", "vits", "hifi-gan", "matcha-tts", "elevenlabs"} <= at[86.1328]
    assert at[93.75] == {"univnet", "bigvgan", "voicevox", "tortoise"}
    assert (cards["kokoro"].stages, cards["piper"].stages) == ((10, 6, 5), (8, 8, 4))
    assert cards["kokoro"].family == cards["kittentts"].family
    assert set().union(*at.values()) == set(spacing)
    assert not {"genuine", "sam", "espeak-ng-formant"} & set(spacing)
