"""`earwitness plugins` and `earwitness doctor`: what is installed, and whether it works."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from typer import Argument, Exit, Option, Typer

from earwitness.cli.options import Json, RegistryFolder
from earwitness.cli.printing import print_json, print_table, progress, say
from earwitness.errors import OptionError

if TYPE_CHECKING:
    from earwitness.plugins import Catalogue, Plugin
    from earwitness.testing import Result

__all__ = ["app", "doctor"]

SHOWN = 3  # parts named in a line

app = Typer(help="What the installed plugins offer.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """What the installed plugins offer."""


@app.command("list")
def list_plugins(json: Json = False) -> None:
    """List plugins with their distribution, what each offers, and what is broken."""
    from earwitness.plugins import load_catalogue

    catalogue = load_catalogue()
    if json:
        print_json([asdict(plugin) for plugin in catalogue.plugins])
    else:
        rows: list[tuple[Any, ...]] = [
            (p.name, f"{p.distribution} {p.version}", f"{1000 * p.seconds:.0f} ms", kind, ", ".join(names))
            for p in catalogue.plugins
            for kind, names in _offers(p)
        ]
        print_table(("plugin", "distribution", "loaded in", "kind", "names"), rows)
    for remark in _remarks(catalogue):
        say(remark)


def _offers(plugin: "Plugin") -> Iterator[tuple[str, tuple[str, ...]]]:
    """What a plugin offers by kind, then its other hooks."""
    yield from plugin.offers.items()
    if plugin.hooks:
        yield "hook", plugin.hooks
    elif not plugin.offers:
        yield "nothing", ()


def _remarks(catalogue: "Catalogue") -> Iterator[str]:
    """What is not as it should be with the plugins."""
    from earwitness.plugins import ALLOWED

    for plugin in catalogue.plugins:
        who = f"plugin {plugin.name!r} of {plugin.distribution}"
        if plugin.problem:
            yield f"{who} is set aside: {plugin.problem}"
        if plugin.barred:
            yield f"{who} is not loaded: {ALLOWED} doesn't list its distribution"
        if plugin.slow:
            yield f"{who} takes {plugin.seconds:.1f} s to load, and every command waits for it"
    for name in catalogue.missing:
        yield f"{ALLOWED} lists {name!r}, and no distribution of that name brings plugins"


@app.command("check")
def check_plugins(
    names: Annotated[
        list[str] | None, Argument(metavar="NAME...", help="Plugins as 'plugins list' has them.", show_default=False)
    ] = None,
    every: Annotated[bool, Option("--all", help="Check every installed plugin.")] = False,
    excuse: Annotated[
        list[str] | None, Option(help="A check that may fail, and why: CHECK=REASON; may be repeated.")
    ] = None,
    json: Json = False,
) -> None:
    """Ask plugins to keep the rules that every plugin keeps; exit 2 when one is broken."""
    from earwitness.plugins import load_catalogue
    from earwitness.testing import checks_of, run, verified

    if every == bool(names):
        raise OptionError("name the plugins to check, or give --all")
    catalogue = load_catalogue()
    wanted = names or [plugin.name for plugin in catalogue.plugins]
    checks = [check for name in wanted for check in checks_of(name, catalogue)]
    excuses = dict(_excuse(text) for text in excuse or ())
    results = list(progress(run(checks, verified(checks, excuses)), len(checks), "checking"))
    if json:
        print_json([asdict(result) for result in results])
    else:
        _print_results(results)
    if any(result.outcome == "failed" for result in results):
        raise Exit(2)


def _excuse(text: str) -> tuple[str, str]:
    """The name of a check and the reason why it may fail."""
    name, equals, reason = text.partition("=")
    if not equals:
        raise OptionError(f"--excuse {text!r} is not CHECK=REASON")
    return name, reason


def _print_results(results: "list[Result]") -> None:
    """A line for each rule that all keep, then one for each check that did not pass, and how many there are of each."""
    kept: dict[str, list[str]] = {}
    for result in results:
        kept.setdefault(result.rule, []).extend([result.part] * (result.outcome == "passed"))
    rows = [("passed", rule, _some(parts), "") for rule, parts in kept.items() if parts]
    rows += [(each.outcome, each.rule, each.check, each.why) for each in results if each.outcome != "passed"]
    print_table(("", "rule", "asked of", "why"), rows)
    counts = Counter(result.outcome for result in results)
    told = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
    print(f"{len(results)} checks in {sum(result.seconds for result in results):.0f} s: {told}")


def _some(names: list[str]) -> str:
    """The first names of many."""
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


@app.command()
def new(
    name: Annotated[str, Argument(help="Name of the plugin, as acme-voice; with --card-only the id of a source.")],
    kind: Annotated[
        Literal["system", "device", "frontend", "embedder", "scorer", "degradation", "synthesizer"],
        Option("--kind", help="What it brings.", show_default=False),
    ],
    card_only: Annotated[bool, Option("--card-only", help="Write a card and no code.")] = False,
    out: Annotated[Path | None, Option("--out", help="Folder to put it in; default here.", show_default=False)] = None,
) -> None:
    """Write a new plugin that works, or the card of a source, to start from."""
    from earwitness.plugins import load_catalogue
    from earwitness.scaffold import write_card, write_plugin

    if card_only:
        file = write_card(name, kind, out or Path())
        say(f"wrote {file}: fill it in, then 'earwitness enroll {name} CLIP... --card {file}'")
    else:
        folder = write_plugin(name, kind, out or Path(), load_catalogue())
        say(f"wrote {folder}: 'pip install -e {folder}', then 'earwitness plugins check {name}'")


def doctor(registry: RegistryFolder = None, json: Json = False) -> None:
    """Say what is installed, what would fail, and how to mend it; exit 2 when something is broken."""
    from earwitness.doctor import examine

    findings = examine(registry)
    if json:
        print_json([asdict(finding) for finding in findings])
    else:
        print_table(("", "what", "found", "to mend"), [(f.state, f.what, f.detail, f.mend) for f in findings])
    if any(finding.state == "fault" for finding in findings):
        raise Exit(2)
