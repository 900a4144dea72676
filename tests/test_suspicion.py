"""Suspects: which cards name the lattice of a clip, and what their family is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earwitness.suspicion import suspects
from earwitness.types import Card, Trace

PIPER = Card("piper", family="vits", native_rate=22050, hop=256)
MATCHA = Card("matcha", family="matcha", native_rate=44100, hop=512)
KOKORO = Card("kokoro", family="styletts2", native_rate=24000, hop=300)
KITTEN = Card("kittentts", family="styletts2", native_rate=48000, hop=600)
CARDS = (PIPER, MATCHA, KOKORO, KITTEN, Card("sam"), Card("half", native_rate=24000), Card("hop", hop=300))


def lattice(spacing, kind="upsampling"):
    return Trace(kind, spacing, "", 9.0, 1e-9, (1, 2), 0.0, 4.0)


def test_cards_of_one_spacing_are_suspected_whatever_their_rate():
    assert suspects([lattice(80.0)], CARDS) == (("kittentts", "kokoro"), "styletts2")
    assert suspects([lattice(22050 / 256)], CARDS) == (("matcha", "piper"), None)


def test_each_lattice_of_a_clip_has_its_suspects():
    found, family = suspects([lattice(80.0), lattice(22050 / 256)], CARDS)
    assert (found, family) == (("kittentts", "kokoro", "matcha", "piper"), None)


def test_nobody_is_suspected_without_a_lattice_of_theirs():
    assert suspects([], CARDS) == ((), None)
    assert suspects([lattice(93.75)], CARDS) == ((), None)
    assert suspects([lattice(80.0)], ()) == ((), None)


def test_a_codecs_frames_accuse_nobody():
    assert suspects([lattice(80.0, "codec")], CARDS) == ((), None)


def test_a_family_is_only_told_where_all_suspects_have_it():
    assert suspects([lattice(80.0)], (KOKORO, Card("other", native_rate=24000, hop=300))) == (("kokoro", "other"), None)
    assert suspects([lattice(80.0)], (Card("other", native_rate=24000, hop=300),)) == (("other",), None)


@pytest.mark.parametrize(("share", "found"), [(4e-4, True), (-4e-4, True), (6e-4, False), (-6e-4, False)])
def test_a_spacing_may_be_off_by_half_a_thousandth(share, found):
    assert bool(suspects([lattice(80.0 * (1 + share))], [KOKORO])[0]) == found


@given(st.permutations(CARDS))
def test_the_order_of_cards_changes_nothing(cards):
    assert suspects([lattice(80.0)], cards) == (("kittentts", "kokoro"), "styletts2")
