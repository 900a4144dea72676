"""Which rules are asked of what a plugin offers, and what comes of it."""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Literal
from unittest import SkipTest

from earwitness.contracts import FittedFrontend, ScorerPanel
from earwitness.errors import MissingExtraError, OptionError, PluginError
from earwitness.plugins import Catalogue, Plugin, load_catalogue
from earwitness.testing import (
    anchors,
    answers,
    cards,
    corpora,
    degradations,
    embedders,
    fitted,
    fitted_frontends,
    frontends,
    isolation,
    learned,
    panels,
    parts,
    pipelines,
    scorers,
    states,
    synthesizers,
    tracers,
)
from earwitness.testing.bench import Offer, RuleError

__all__ = ["GROUPS", "Check", "Result", "checks_of", "run", "verified"]

GROUPS = (
    isolation,
    parts,
    answers,
    states,
    frontends,
    fitted_frontends,
    embedders,
    fitted,
    anchors,
    learned,
    scorers,
    panels,
    tracers,
    degradations,
    pipelines,
    cards,
    synthesizers,
    corpora,
)
"""The modules of rules; the first line of each says what they are asked of."""

Rule = Callable[[Any], None]
Asked = tuple[str, Any, tuple[Rule, ...]]
"""A name, what is asked under it, and the rules."""

BENCHES: Mapping[str, tuple[Callable[[Any], Any], tuple[Rule, ...]]] = {
    "tracer": (tracers.TracerBench, (*answers.ALONE, *tracers.RULES)),
    "degradation": (degradations.DegradationBench, (*answers.ALONE[1:], *degradations.RULES)),
    "synthesizer": (synthesizers.SynthesizerBench, synthesizers.RULES),
    "corpus": (lambda part: part, corpora.RULES),
}
"""How parts are put to work, and what is asked of them then; of the others there are several sorts."""


@dataclass(frozen=True, slots=True)
class Check:
    """One rule asked of one part: a call raises where it is broken, and SkipTest where it can't be asked."""

    kind: str
    part: str
    rule: Rule
    subject: Any = field(repr=False)

    @property
    def name(self) -> str:
        """How excuses name it: `frontend.lfcc60.finite_for_odd_input`."""
        return f"{self.kind}.{self.part}.{self.rule.__name__}"

    @property
    def sentence(self) -> str:
        """The rule."""
        return (self.rule.__doc__ or "").partition("\n")[0]

    def __call__(self) -> None:
        """Ask; what needs an extra that isn't installed can't be asked."""
        try:
            self.rule(self.subject)
        except MissingExtraError as error:
            raise SkipTest(str(error)) from error


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one check; `why` it failed, is excused or was skipped."""

    check: str
    kind: str
    part: str
    rule: str
    outcome: Literal["passed", "failed", "excused", "skipped"]
    why: str
    seconds: float


def checks_of(name: str, catalogue: Catalogue | None = None) -> tuple[Check, ...]:
    """All checks of an installed plugin, by its name in `earwitness plugins list`.

    Raises:
        PluginError: no such plugin is installed.
    """
    catalogue = catalogue or load_catalogue()
    plugin = _installed(name, catalogue)
    loaded = not (plugin.problem or plugin.barred)
    imported = isolation.Import(plugin)
    asked: list[tuple[str, *Asked]] = [("plugin", name, imported, isolation.RULES if loaded else isolation.FIRST)]
    kin = [each for each in catalogue.plugins if each.distribution == plugin.distribution]
    own = tuple(pipeline for each in kin for pipeline in each.offers.get("pipeline", ()))
    for kind, names in plugin.offers.items():
        offers = (Offer(kind, each, catalogue.get(kind, each), catalogue, own) for each in names)
        asked += [(kind, *each) for offer in offers for each in _asked(offer)]
    return tuple(Check(kind, part, rule, subject) for kind, part, subject, rules in asked for rule in rules)


def _installed(name: str, catalogue: Catalogue) -> Plugin:
    """The plugin of a name; PluginError offers the nearest names."""
    known = {plugin.name: plugin for plugin in catalogue.plugins}
    if name not in known:
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.4) or known
        raise PluginError(f"no plugin {name!r} is installed; did you mean {' or '.join(near)}?")
    return known[name]


def _asked(offer: Offer) -> Iterator[Asked]:
    """What is asked of an offer: of a part or pipeline that breaks one of the first rules, only this."""
    if offer.kind == "source":
        yield offer.name, offer, cards.RULES
        return
    book = pipelines if offer.kind == "pipeline" else parts
    for rule in book.FIRST:
        if _broken(Check(offer.kind, offer.name, rule, offer)):
            yield offer.name, offer, (rule,)
            return
    yield offer.name, offer, book.RULES
    if book is parts:
        yield from _at_work(offer)


def _at_work(offer: Offer) -> Iterator[Asked]:
    """What is asked of a part at work."""
    part = offer.value()
    if offer.kind == "frontend":
        yield from _of_frontend(offer.name, part)
    elif offer.kind == "embedder":
        yield from _of_embedder(offer, part)
    elif offer.kind == "scorer":
        yield from _of_scorer(offer.name, part)
    else:
        bench, rules = BENCHES[offer.kind]
        yield offer.name, bench(part), rules


def _of_frontend(name: str, part: Any) -> Iterator[Asked]:
    """What is asked of a frontend, and more where it learns."""
    if isinstance(part, FittedFrontend):
        bench = fitted_frontends.FittedFrontendBench(part)
        yield name, bench, (*answers.RULES, *frontends.RULES, *states.RULES, *fitted_frontends.RULES)
    else:
        yield name, frontends.FrontendBench(part), (*answers.RULES, *frontends.RULES)


def _of_embedder(offer: Offer, part: Any) -> Iterator[Asked]:
    """What is asked of an embedder of any kind, and by how it learns."""
    bench = embedders.bench_of(part, pipelines.shape_for(offer))
    yield offer.name, bench, (*answers.RULES, *embedders.RULES)
    if isinstance(bench, fitted.FittedBench):
        yield offer.name, bench, (*states.RULES, *fitted.RULES)
    elif isinstance(bench, anchors.AnchorBench):
        yield offer.name, bench, (*states.RULES, *anchors.RULES)
    elif isinstance(bench, learned.LearnedBench):
        yield offer.name, bench, learned.RULES


def _of_scorer(name: str, part: Any) -> Iterator[Asked]:
    """What is asked of a rule, or of a panel and each of its members."""
    members = {name: part}
    if isinstance(part, ScorerPanel):
        yield name, part, panels.RULES
        sound = not any(_broken(Check("scorer", name, rule, part)) for rule in panels.RULES)
        members = {f"{name}/{member.name}": member for member in part.scorers} if sound else {}
    for each, rule in members.items():
        yield each, scorers.ScorerBench(rule), (*answers.RULES, *states.RULES, *scorers.RULES)


def _broken(check: Check) -> str | None:
    """Why a check fails, if it does."""
    try:
        check()
    except RuleError as error:
        return str(error)
    except SkipTest:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's part may raise anything at all
        return f"{type(error).__name__}: {error}"
    return None


def verified(checks: Iterable[Check], excuses: Mapping[str, str]) -> Mapping[str, str]:
    """The excuses by the names of checks, each with its reason; OptionError names one of no check or without reason."""
    names = [check.name for check in checks]
    for name, reason in excuses.items():
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1, cutoff=0.0)
            raise OptionError(f"there is no check {name!r} to excuse; the nearest is {near[0]!r}")
        if not reason.strip():
            raise OptionError(f"the excuse of {name!r} needs a reason")
    return excuses


def run(checks: Iterable[Check], excuses: Mapping[str, str] | None = None) -> Iterator[Result]:
    """Ask one check after the other; an excused one that passes fails, for its excuse is out of date."""
    for check in checks:
        began = perf_counter()
        outcome, why = _outcome(check, (excuses or {}).get(check.name))
        yield Result(check.name, check.kind, check.part, check.sentence, outcome, why, perf_counter() - began)


def _outcome(check: Check, excuse: str | None) -> tuple[Literal["passed", "failed", "excused", "skipped"], str]:
    try:
        why = _broken(check)
    except SkipTest as reason:
        return "skipped", str(reason)
    if excuse is not None:
        return ("excused", excuse) if why else ("failed", f"it passes: take the excuse back ({excuse})")
    return ("failed", why) if why else ("passed", "")
