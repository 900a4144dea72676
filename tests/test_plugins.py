"""Plugins come one by one: what each offers is known by name, and one that is broken harms no other."""

import json
import sys
from pathlib import Path

import pytest

from earwitness import doctor, plugins
from earwitness.errors import PluginError, UnknownPartError
from earwitness.plugins import KINDS, Catalogue, load_catalogue
from earwitness.types import Verdict

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


BROKEN_READER = READER.replace("return", "raise ValueError('no\\ncodec')\n    return").format(answer=None, suffix="")


def test_a_reader_that_fails_is_named_and_the_next_is_asked(install):
    readers = [install("broken", BROKEN_READER), install("good", READER.format(answer="heard", suffix=".one"))]
    for points in (readers, readers[::-1]):
        catalogue = Catalogue(points)
        assert catalogue.read_clip(Path("a.one")) == "heard"
        told = r"'a.two' can't be read: plugin 'broken' of broken failed in read_clip \(ValueError: no codec\)"
        with pytest.raises(PluginError, match=told):
            catalogue.read_clip(Path("a.two"))


def test_a_reader_that_fails_costs_one_clip_of_a_batch(install, call, made, registry_copy, tmp_path):
    install("broken", BROKEN_READER)
    odd = tmp_path / "odd.wav"
    odd.write_bytes(b"no sound at all")
    sound = next(made.home.glob("test-alpha-*.wav"))
    done = call("identify", odd, sound, "--json", "--registry", registry_copy)
    bad, good = json.loads(done.out)
    assert done.code == 0
    assert bad["verdict"] == "error"
    assert "plugin 'broken' of broken failed in read_clip" in bad["error"]
    assert good["verdict"] != "error"


LISTENER = """
from pathlib import Path
from earwitness import hookimpl
@hookimpl
def verdict_reached(clip, verdict):
    with Path({file!r}).open("a") as log:
        log.write({name!r} + verdict.verdict)
    {then}
"""


def test_a_listener_that_fails_is_named_and_the_others_are_told(install, tmp_path):
    log = tmp_path / "log"
    codes = {"a": "raise OSError('full')", "b": "pass", "c": "1 / 0"}
    points = [install(name, LISTENER.format(file=str(log), name=name, then=then)) for name, then in codes.items()]
    assert Catalogue(points).announce(Verdict("clip", None, "system", "unknown")) == (
        "plugin 'c' of c failed in verdict_reached (ZeroDivisionError: division by zero)",
        "plugin 'a' of a failed in verdict_reached (OSError: full)",
    )
    assert log.read_text() == "cunknownbunknownaunknown"


def test_a_verdict_stands_and_notes_a_listener_that_failed(install, call, made, registry_copy, tmp_path):
    sound = next(made.home.glob("test-alpha-*.wav"))
    asked = ("identify", sound, "--json", "--registry", registry_copy)
    (before,) = json.loads(call(*asked).out)
    install("alarm", LISTENER.format(file=str(tmp_path / "log"), name="", then="raise RuntimeError('no line')"))
    done = call(*asked)
    (verdict,) = json.loads(done.out)
    assert done.code == 0
    assert verdict["warnings"][-1] == "plugin 'alarm' of alarm failed in verdict_reached (RuntimeError: no line)"
    assert verdict["verdict"] == before["verdict"]
    assert (tmp_path / "log").read_text() == before["verdict"]


def test_hooks_that_offer_nothing_by_name_are_listed(install, call):
    install("alarm", LISTENER.format(file="log", name="", then="pass"))
    (alarm,) = (plugin for plugin in load_catalogue().plugins if plugin.name == "alarm")
    assert (alarm.offers, alarm.hooks) == ({}, ("verdict_reached",))
    (line,) = (line for line in call("plugins", "list").out.splitlines() if line.startswith("alarm "))
    assert line.split()[-2:] == ["hook", "verdict_reached"]


MARKED = FRONTEND.format(name="ear") + "\nfrom pathlib import Path\nPath({file!r}).touch()\n"


@pytest.mark.parametrize(
    ("listed", "loads"),
    [(None, True), ("acme-voice", True), (" other, Acme_Voice", True), ("", False), ("other", False), ("acme", False)],
)
def test_only_listed_plugins_of_strangers_are_imported(install, monkeypatch, tmp_path, listed, loads):
    """By the distribution's name alone: anybody may call an entry point acme."""
    install("acme-voice", MARKED.format(file=str(tmp_path / "imported")), point="acme")
    monkeypatch.delenv("EARWITNESS_PLUGINS", raising=False)
    if listed is not None:
        monkeypatch.setenv("EARWITNESS_PLUGINS", listed)
    catalogue = load_catalogue()
    acme = next(plugin for plugin in catalogue.plugins if plugin.name == "acme")
    assert ((tmp_path / "imported").exists(), "acme_voice" in sys.modules) == (loads, loads)
    assert (acme.barred, acme.problem, acme.offers) == (not loads, None, {"frontend": ("ear",)} if loads else {})
    assert ("ear" in catalogue.names("frontend")) is loads
    assert {plugin.barred for plugin in catalogue.plugins if plugin.distribution == "earwitness"} == {False}
    sys.modules.pop("acme_voice", None)


def test_what_is_barred_and_what_is_listed_in_vain_is_told(install, monkeypatch, call):
    install("acme-voice", FRONTEND.format(name="ear"), point="acme")
    monkeypatch.setenv("EARWITNESS_PLUGINS", "acme-voices")
    told = call("plugins", "list").err
    assert "plugin 'acme' of acme-voice is not loaded: EARWITNESS_PLUGINS doesn't list its distribution" in told
    assert "EARWITNESS_PLUGINS lists 'acme-voices', and no distribution of that name brings plugins" in told
    findings = {finding.what: finding for finding in doctor._plugins()}
    assert findings["plugin acme"].state == "ok"
    assert "doesn't list it" in findings["plugin acme"].detail
    assert findings["EARWITNESS_PLUGINS"].state == "warning"
    assert "acme-voices" in findings["EARWITNESS_PLUGINS"].detail
    with pytest.raises(UnknownPartError, match="'earwitness plugins list' says why acme did not load"):
        load_catalogue().get("frontend", "ear")


def test_a_slow_plugin_is_named_with_its_time(install, monkeypatch, call):
    install("slow", "import time\ntime.sleep(0.2)\n" + FRONTEND.format(name="ear"))
    monkeypatch.setattr(plugins, "SLOW", 0.2)
    slow = next(plugin for plugin in load_catalogue().plugins if plugin.name == "slow")
    assert slow.slow
    assert slow.problem is None
    assert f"plugin 'slow' of slow takes {slow.seconds:.1f} s to load" in call("plugins", "list").err
    finding = next(finding for finding in doctor._plugins() if finding.what == "plugin slow")
    assert finding.state == "warning"
    assert f"takes {slow.seconds:.1f} s to load" in finding.detail
