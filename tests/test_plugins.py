"""Plugins come one by one: what each offers is known by name, and one that is broken harms no other."""

from pathlib import Path

import pytest

from earwitness.errors import UnknownPartError
from earwitness.plugins import KINDS, Catalogue, load_catalogue

FRONTEND = """
from earwitness import hookimpl
class Part:
    name = {name!r}
@hookimpl
def register_frontends():
    return [Part]
"""

CARD = """
from earwitness import hookimpl
from earwitness.types import Card
@hookimpl
def register_sources():
    return [Card({name!r}, vendor="Acme")]
"""

READER = """
from earwitness import hookimpl
@hookimpl
def read_clip(path):
    return {answer!r} if path.suffix == {suffix!r} else None
"""


def test_offers_are_known_by_name_and_distribution(install):
    catalogue = Catalogue([install("good", FRONTEND.format(name="ear"))])
    (plugin,) = catalogue.plugins
    assert (plugin.name, plugin.distribution, plugin.version, plugin.problem) == ("good", "good", "1.0", None)
    assert plugin.offers == {"frontend": ("ear",)}
    assert catalogue.get("frontend", "ear").name == "ear"
    assert catalogue.names("frontend") == ("ear",)


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("import no_such_module_anywhere", "ModuleNotFoundError: No module named 'no_such_module_anywhere'"),
        ("def f(:", "SyntaxError"),
        ("raise SystemExit('go away')", "SystemExit: go away"),
        ("raise RuntimeError('no licence')", "RuntimeError: no licence"),
        (FRONTEND.format(name="x").replace("[Part]", "1 / 0"), "ZeroDivisionError"),
    ],
)
def test_a_broken_plugin_is_named_and_the_rest_works(install, code, problem):
    points = [install("broken", code), install("good", FRONTEND.format(name="ear"))]
    catalogue = Catalogue(points)
    broken, good = catalogue.plugins
    assert broken.name == "broken"
    assert broken.distribution == "broken"
    assert problem in broken.problem
    assert good.problem is None
    assert catalogue.names("frontend") == ("ear",)


def test_a_clash_names_both_and_takes_nothing_of_the_second(install):
    second = FRONTEND.format(name="ear") + CARD.format(name="acme/voice-2")
    catalogue = Catalogue([install("first", FRONTEND.format(name="ear")), install("second", second)])
    problem = catalogue.plugins[1].problem
    assert "PluginClashError" in problem
    assert "first 1.0" in problem
    assert "second 1.0" in problem
    assert "'ear'" in problem
    assert catalogue.get("frontend", "ear").__module__ == "first"
    assert catalogue.names("source") == ()


def test_two_plugins_of_one_name_leave_the_first_at_work(install):
    first = install("first", READER.format(answer="heard", suffix=".one"), point="same")
    second = install("second", FRONTEND.format(name="ear"), point="same")
    catalogue = Catalogue([first, second])
    assert catalogue.plugins[0].problem is None
    assert catalogue.read_clip(Path("a.one")) == "heard"


def test_a_misspelt_hook_is_an_error(install):
    misspelt = FRONTEND.format(name="ear").replace("register_frontends", "register_frontend")
    catalogue = Catalogue([install("misspelt", misspelt), install("good", FRONTEND.format(name="nose"))])
    assert "register_frontend" in catalogue.plugins[0].problem
    assert [plugin.problem for plugin in catalogue.plugins[1:]] == [None]
    assert catalogue.names("frontend") == ("nose",)


def test_a_part_needs_a_name(install):
    code = FRONTEND.format(name="ear").replace("name = 'ear'", "pass")
    assert "'name'" in Catalogue([install("nameless", code)]).plugins[0].problem


def test_an_unknown_name_is_answered_with_the_nearest(install):
    catalogue = Catalogue([install(f"p{i}", FRONTEND.format(name=n)) for i, n in enumerate(("lfcc60", "mfcc40"))])
    with pytest.raises(UnknownPartError, match="did you mean lfcc60"):
        catalogue.get("frontend", "lfcc")
    with pytest.raises(UnknownPartError, match="'no-such'"):
        catalogue.get("scorer", "no-such")


def test_cards_are_found_by_id(install):
    catalogue = Catalogue([install("cards", CARD.format(name="acme/voice-2"))])
    assert catalogue.card("acme/voice-2").vendor == "Acme"
    assert catalogue.card("nobody") is None


def test_the_first_plugin_that_can_decode_answers(install):
    readers = [install(f"r{i}", READER.format(answer=s, suffix=s)) for i, s in enumerate((".one", ".two"))]
    catalogue = Catalogue(readers)
    assert [catalogue.read_clip(Path(f"a{s}")) for s in (".one", ".two", ".six")] == [".one", ".two", None]


def test_our_own_plugins_come_first_and_are_sound():
    own = [plugin for plugin in load_catalogue().plugins if plugin.distribution == "earwitness"]
    assert list(load_catalogue().plugins[: len(own)]) == own
    assert {plugin.name: plugin.problem for plugin in own if plugin.problem} == {}
    assert {kind for plugin in own for kind in plugin.offers} >= KINDS.keys() - {"synthesizer", "corpus"}


TRACER = FRONTEND.replace("frontends", "tracers")


def test_tracers_are_known_by_name_and_clash_like_any_part(install):
    catalogue = Catalogue([install(f"p{i}", TRACER.format(name="lattice")) for i in range(2)])
    assert catalogue.names("tracer") == ("lattice",)
    assert catalogue.plugins[0].offers == {"tracer": ("lattice",)}
    assert "PluginClashError: tracer 'lattice' of p1 1.0 is offered by p0 1.0" in catalogue.plugins[1].problem
