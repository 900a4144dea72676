"""The command line. Each command imports what it needs when it runs, so that `--help` answers at once."""

import sys
from typing import Any

from typer import Abort, Exit, Typer
from typer.exceptions import TyperException

from earwitness.cli import bench, clips, corpus, learning, plugins, registry
from earwitness.cli.strangers import CommandLine
from earwitness.errors import EarwitnessError

__all__ = ["app", "main"]

app = Typer(
    name="earwitness",
    cls=CommandLine,
    help="What made this clip of speech? Open-set attribution of recording devices and synthesis systems.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(clips.identify)
app.command()(clips.trace)
app.command()(clips.verify)
app.command()(clips.screen)
app.command()(clips.enroll)
app.command()(learning.train)
app.command()(learning.calibrate)
app.command()(learning.evaluate)
app.command()(bench.bench)
app.add_typer(registry.app, name="registry")
app.add_typer(plugins.app, name="plugins")
app.add_typer(corpus.app, name="corpus")
app.command()(plugins.doctor)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; a user's error is one line on standard error and exit code 2, a bug a traceback."""
    try:
        code: Any = app(arguments, standalone_mode=False)
    except EarwitnessError as error:
        code = _complain(str(error))
    except TyperException as error:
        code = _complain(error.format_message())
    except Exit as error:
        code = error.exit_code
    except (Abort, KeyboardInterrupt):
        code = 130
    sys.exit(code if isinstance(code, int) else 0)


def _complain(text: str) -> int:
    """One line on standard error, unless help was all there is to say; the exit code of a user's error."""
    if text:
        print(f"earwitness: {' '.join(text.split())}", file=sys.stderr)
    return 2
