"""Finding plugins and what they offer.

Every plugin, ours included, enters by the `earwitness` entry-point group. Plugins load one at a time: one
that fails to import, misspells a hook or takes a name that is taken is reported and set aside; the rest work.
"""

import difflib
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from time import perf_counter
from typing import Any

import pluggy

from earwitness import hookspecs
from earwitness.errors import PluginClashError, PluginError, UnknownPartError
from earwitness.types import Card, Clip

__all__ = ["KINDS", "Catalogue", "Plugin", "load_catalogue"]

GROUP = "earwitness"

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
    """One entry point: where it comes from, what it offers by kind, and what went wrong (`problem`)."""

    name: str
    distribution: str
    version: str
    seconds: float
    offers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    problem: str | None = None


class Catalogue:
    """Everything the plugins offer, by kind and name."""

    def __init__(self, points: list[EntryPoint]) -> None:
        self.manager = pluggy.PluginManager("earwitness")
        self.manager.add_hookspecs(hookspecs)
        self._offers: dict[str, dict[str, tuple[Any, str]]] = {kind: {} for kind in KINDS}
        self.plugins = tuple(self._load(point) for point in points)

    def _load(self, point: EntryPoint) -> Plugin:
        """Import one plugin and take up what it offers, or set it aside."""
        began = perf_counter()
        distribution = point.dist.name if point.dist else "?"
        version = point.dist.version if point.dist else "?"
        offers: dict[str, tuple[str, ...]] = {}
        problem = None
        try:
            offers = self._admit(point, f"{distribution} {version}", f"{distribution} {point.name}")
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's module may raise anything at all
            problem = f"{type(error).__name__}: {error}"
            self.manager.unregister(name=f"{distribution} {point.name}")
        return Plugin(point.name, distribution, version, perf_counter() - began, offers, problem)

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
        raise UnknownPartError(
            f"no plugin offers the {kind} {name!r}; did you mean {' or '.join(near) or 'to install one'}?"
        )

    def card(self, source: str) -> Card | None:
        """The card a plugin registered for a source, if any."""
        value, _ = self._offers["source"].get(source, (None, ""))
        return value if isinstance(value, Card) else None

    def cards(self) -> tuple[Card, ...]:
        """All cards that plugins registered, by id."""
        return tuple(card for name in self.names("source") if (card := self.card(name)))

    def read_clip(self, path: Path) -> Clip | None:
        """Ask the plugins to decode a file that core can't."""
        clip: Clip | None = self.manager.hook.read_clip(path=path)
        return clip


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


@cache
def load_catalogue() -> Catalogue:
    """The catalogue of this installation; our own distribution first, so that no stranger takes its names."""
    points = entry_points(group=GROUP)
    return Catalogue(sorted(points, key=lambda p: (p.dist is None or p.dist.name != "earwitness", p.name)))
