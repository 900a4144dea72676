"""The command line with the commands that plugins add."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from typer import Typer
from typer.core import TyperGroup
from typer.main import get_group

from earwitness.cli.printing import say

__all__ = ["CommandLine"]


class CommandLine(TyperGroup):
    """Our commands, and those of plugins, which are asked only for help and where a command is none of ours."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of all commands."""
        return [*super().list_commands(ctx), *self._strangers]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of a name, if there is one."""
        return super().get_command(ctx, cmd_name) or self._strangers.get(cmd_name)

    @cached_property
    def _strangers(self) -> Mapping[str, Any]:
        """The commands that plugins add, by name: of each plugin all, or none and it is said why."""
        from earwitness.plugins import load_catalogue

        found: dict[str, Any] = {}
        owners = dict.fromkeys(self.commands, "Earwitness")
        for who, ask in load_catalogue().askers("register_commands"):
            _, fault = ask(app=(app := Typer()))
            added, fault = ({}, fault) if fault else _commands(app, who)
            if taken := [name for name in added if name in owners]:
                fault = f"command {taken[0]!r} of {who} is one of {owners[taken[0]]} already: rename one of them"
            if fault:
                say(fault)
            else:
                found |= added
                owners |= dict.fromkeys(added, who)
        return found


def _commands(app: Typer, who: str) -> tuple[dict[str, Any], str | None]:
    """The commands of a plugin by name, or why they can't be made."""
    from earwitness.plugins import told

    try:
        return dict(get_group(app).commands), None
    except Exception as error:  # noqa: BLE001 - the signatures are a stranger's
        return {}, f"{who} adds commands that can't be made ({told(error)})"
