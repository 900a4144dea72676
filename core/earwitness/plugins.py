"""Finding plugins and what they offer.

Every plugin, ours included, enters by the `earwitness` entry-point group. Plugins load one at a time: one
that fails to import, misspells a hook or takes a name that is taken is reported and set aside; the rest work.

A plugin is code and runs with its user's rights. `EARWITNESS_PLUGINS`, where it is set, lists those that may load
beside our own, by the names of their distributions, with commas between; of the rest nothing is imported.
"""

import difflib
import inspect
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from time import perf_counter
from typing import Any

import pluggy

from earwitness import hookspecs
from earwitness.errors import PluginClashError, PluginError, UnknownPartError
from earwitness.types import Card, Clip, Verdict

__all__ = ["KINDS", "Catalogue", "Plugin", "load_catalogue", "told"]

GROUP = "earwitness"
OURS = "earwitness"
"""The distribution whose plugins always load, and first."""

ALLOWED = "EARWITNESS_PLUGINS"
"""The environment variable that limits what loads beside our own."""

SLOW = 1.0
"""Seconds of loading from which on a plugin is named: every command that needs the plugins waits for it."""

KINDS: Mapping[str, str] = {
    "frontend": "register_frontends",
    "embedder": "register_embedders",
    "scorer": "register_scorers",
    "tracer": "register_tracers",
    "degradation": "register_degradations",
    "pipeline": "register_pipelines",
    "source": "register_sources",
    "synthesizer": "register_synthesizers",
    "corpus": "register_corpora",
}
"""What plugins offer by name, and the hook that asks for it."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """One entry point: where it comes from, what it offers by kind, and what went wrong (`problem`).

    `hooks` are its others, which offer nothing by name. One that is `barred` was not imported: `EARWITNESS_PLUGINS`
    doesn't list it.
    """

    name: str
    distribution: str
    version: str
    seconds: float
    offers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    hooks: tuple[str, ...] = ()
    problem: str | None = None
    barred: bool = False

    @property
    def slow(self) -> bool:
        """Whether every command that needs the plugins is kept waiting by this one."""
        return self.seconds >= SLOW


class Catalogue:
    """Everything the plugins offer, by kind and name.

    `allowed`, where it is given, are the distributions that may load beside our own; `missing` those of them that
    bring no plugin.
    """

    def __init__(self, points: Sequence[EntryPoint], allowed: frozenset[str] | None = None) -> None:
        self.manager = pluggy.PluginManager("earwitness")
        self.manager.add_hookspecs(hookspecs)
        self._offers: dict[str, dict[str, tuple[Any, str]]] = {kind: {} for kind in KINDS}
        self.plugins = tuple(self._load(point) if _may_load(point, allowed) else _barred(point) for point in points)
        self.missing = tuple(sorted((allowed or frozenset()) - {_normal(each.distribution) for each in self.plugins}))

    def _load(self, point: EntryPoint) -> Plugin:
        """Import one plugin and take up what it offers, or set it aside."""
        began = perf_counter()
        distribution, version = _origin(point)
        unique = f"{distribution} {point.name}"
        offers: dict[str, tuple[str, ...]] = {}
        problem = None
        try:
            offers = self._admit(point, f"{distribution} {version}", unique)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's module may raise anything at all
            problem = told(error)
            self.manager.unregister(name=unique)
        seconds = perf_counter() - began
        return Plugin(point.name, distribution, version, seconds, offers, self._other_hooks(unique), problem)

    def _other_hooks(self, unique: str) -> tuple[str, ...]:
        """The hooks of a plugin at work that offer nothing by name."""
        callers = self.manager.get_hookcallers(self.manager.get_plugin(unique)) or ()
        return tuple(sorted({caller.name for caller in callers} - set(KINDS.values())))

    def _admit(self, point: EntryPoint, owner: str, unique: str) -> dict[str, tuple[str, ...]]:
        """Register the plugin's hooks and merge its offers, all or nothing."""
        module = point.load()
        self.manager.register(module, name=unique)
        self.manager.check_pending()
        found = {kind: dict(self._ask(module, kind)) for kind in KINDS}
        for kind, named in found.items():
            for name in named.keys() & self._offers[kind].keys():
                taken = self._offers[kind][name][1]
                raise PluginClashError(f"{kind} {name!r} of {owner} is offered by {taken} already: rename one of them")
        for kind, named in found.items():
            self._offers[kind] |= {name: (value, owner) for name, value in named.items()}
        return {kind: tuple(sorted(named)) for kind, named in found.items() if named}

    def _ask(self, module: object, kind: str) -> Iterator[tuple[str, Any]]:
        """The (name, value) pairs one plugin offers of one kind."""
        hook: Callable[[], Any] | None = getattr(module, KINDS[kind], None)
        for value in (hook() if hook else None) or ():
            yield _name(value, kind), value

    def names(self, kind: str) -> tuple[str, ...]:
        """All names of one kind, sorted."""
        return tuple(sorted(self._offers[kind]))

    def get(self, kind: str, name: str) -> Any:
        """What is offered under a name; an UnknownPartError offers the nearest known ones."""
        if name in self._offers[kind]:
            return self._offers[kind][name][0]
        known = self.names(kind)
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.4) or known
        idle = [plugin.name for plugin in self.plugins if plugin.problem or plugin.barred]
        raise UnknownPartError(
            f"no plugin offers the {kind} {name!r}; did you mean {' or '.join(near) or 'to install one'}?"
            + (f" 'earwitness plugins list' says why {' and '.join(idle)} did not load" if idle else "")
        )

    def card(self, source: str) -> Card | None:
        """The card a plugin registered for a source, if any."""
        value, _ = self._offers["source"].get(source, (None, ""))
        return value if isinstance(value, Card) else None

    def cards(self) -> tuple[Card, ...]:
        """All cards that plugins registered, by id."""
        return tuple(card for name in self.names("source") if (card := self.card(name)))

    def read_clip(self, path: Path) -> Clip | None:
        """Ask the plugins in turn to decode a file that core can't; PluginError where none could and one failed."""
        failed = None
        for clip, fault in self._in_turn("read_clip", path=path):
            if clip is not None:
                found: Clip = clip
                return found
            failed = failed or fault
        if failed:
            raise PluginError(f"{str(path)!r} can't be read: {failed}; convert it to WAV, or mend the plugin")
        return None

    def announce(self, verdict: Verdict) -> tuple[str, ...]:
        """Tell the plugins that a clip was judged; a note of each that failed, for the verdict stands without it."""
        told = self._in_turn("verdict_reached", clip=verdict.clip, verdict=verdict)
        return tuple(fault for _, fault in told if fault)

    def _in_turn(self, hook: str, **arguments: Any) -> Iterator[tuple[Any, str | None]]:
        """What each plugin that has a hook answers, or how it failed, which keeps no other from being asked."""
        return (ask(**arguments) for _, ask in self.askers(hook))

    def askers(self, hook: str) -> Iterator[tuple[str, Callable[..., tuple[Any, str | None]]]]:
        """Each plugin that has a hook, as a phrase, and what asks it alone: its answer, or how it failed."""
        impls = getattr(self.manager.hook, hook).get_hookimpls()[::-1]  # pluggy keeps the first to be called last
        for impl in impls:
            alone = self.manager.subset_hook_caller(hook, [other.plugin for other in impls if other is not impl])
            distribution, _, name = impl.plugin_name.partition(" ")
            who = f"plugin {name!r} of {distribution}"
            yield who, partial(_asked, alone, f"{who} failed in {hook}")


def _asked(hook: Callable[..., Any], failed: str, **arguments: Any) -> tuple[Any, str | None]:
    """The answer of one plugin, or how it failed."""
    try:
        return hook(**arguments), None
    except Exception as error:  # noqa: BLE001 - a stranger's hook may raise anything at all
        return None, f"{failed} ({told(error)})"


def _origin(point: EntryPoint) -> tuple[str, str]:
    """The distribution of an entry point, and its version."""
    return (point.dist.name, point.dist.version) if point.dist else ("?", "?")


def _may_load(point: EntryPoint, allowed: frozenset[str] | None) -> bool:
    """Whether a plugin may be imported: ours always, others where nothing is listed or their distribution is."""
    return allowed is None or _normal(_origin(point)[0]) in allowed | {OURS}


def _barred(point: EntryPoint) -> Plugin:
    """A plugin that may not load."""
    return Plugin(point.name, *_origin(point), seconds=0.0, barred=True)


def _normal(distribution: str) -> str:
    """A distribution's name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def told(error: BaseException) -> str:
    """An error of a plugin as part of a sentence."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _name(value: Any, kind: str) -> str:
    """The name of an offer: a card's id, a pipeline's `name:` line, else the class attribute `name`."""
    if isinstance(value, Card):
        return value.id
    if isinstance(value, str):
        lines = (line.partition(":") for line in value.splitlines())
        return next((text.strip() for key, _, text in lines if key == "name"), "")
    name = inspect.getattr_static(value, "name", None)
    if not isinstance(name, str):
        raise PluginError(f"the {kind} {value!r} has no class attribute 'name'")
    return name


def _allowed() -> frozenset[str] | None:
    """The distributions that `EARWITNESS_PLUGINS` lists; an empty list allows none, unset it allows all."""
    listed = os.environ.get(ALLOWED)
    return None if listed is None else frozenset(_normal(name.strip()) for name in listed.split(",") if name.strip())


@cache
def load_catalogue() -> Catalogue:
    """The catalogue of this installation; our own distribution first, so that no stranger takes its names."""
    points = entry_points(group=GROUP)
    return Catalogue(sorted(points, key=lambda p: (_origin(p)[0] != OURS, p.name)), _allowed())
