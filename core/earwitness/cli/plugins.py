"""`earwitness plugins` and `earwitness doctor`: what is installed, and whether it works."""

from dataclasses import asdict
from typing import Any

from typer import Exit, Typer

from earwitness.cli.options import Json, RegistryFolder
from earwitness.cli.printing import print_json, print_table, say

__all__ = ["app", "doctor"]

app = Typer(help="What the installed plugins offer.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """What the installed plugins offer."""


@app.command("list")
def list_plugins(json: Json = False) -> None:
    """List plugins with their distribution, what each offers, and what is broken."""
    from earwitness.plugins import load_catalogue

    plugins = load_catalogue().plugins
    if json:
        print_json([asdict(plugin) for plugin in plugins])
        return
    rows: list[tuple[Any, ...]] = [
        (p.name, f"{p.distribution} {p.version}", f"{1000 * p.seconds:.0f} ms", kind, ", ".join(names))
        for p in plugins
        for kind, names in p.offers.items()
    ]
    print_table(("plugin", "distribution", "loaded in", "kind", "names"), rows)
    for plugin in plugins:
        if plugin.problem:
            say(f"plugin {plugin.name!r} of {plugin.distribution} is set aside: {plugin.problem}")


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
