"""Plugins add commands to the command line: all of a plugin's, or none and it is said why."""

import pytest

COMMAND = """
from earwitness import hookimpl
@hookimpl
def register_commands(app):
    @app.command("{name}")
    def count(clip: str, times: int = 1):
        "Count the letters of a clip's name."
        print(len(clip) * times)
    {then}
"""


def test_a_plugin_adds_a_command_with_its_help(install, call):
    install("acme", COMMAND.format(name="count", then=""))
    assert (call("count", "a.wav", "--times", "2").out, call("count", "--help").code) == ("10\n", 0)
    (line,) = (line for line in call("--help").out.splitlines() if "count " in line)
    assert "Count the letters of a clip's name." in line
    (listed,) = (line for line in call("plugins", "list").out.splitlines() if line.startswith("acme "))
    assert listed.endswith("register_commands")


def test_a_group_of_commands_is_taken_up_whole(install, call):
    then = 'import typer; more = typer.Typer(); app.add_typer(more, name="more"); more.command("twice")(count)'
    install(
        "acme", COMMAND.format(name="count", then=then).replace("return", "") + "    more.callback()(lambda: None)\n"
    )
    assert call("more", "twice", "abc").out == "3\n"


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        (
            COMMAND.format(name="count", then="raise ValueError('no licence')"),
            "plugin 'bad' of bad failed in register_commands (ValueError: no licence)",
        ),
        (
            COMMAND.format(name="count", then="").replace("clip: str", "clip: int | list[str]"),
            "plugin 'bad' of bad adds commands that can't be made (",
        ),
        (
            COMMAND.format(name="identify", then="app.command('count')(count)"),
            "command 'identify' of plugin 'bad' of bad is one of Earwitness already: rename one of them",
        ),
        (
            COMMAND.format(name="tally", then="app.command('count')(count)"),
            "command 'tally' of plugin 'bad' of bad is one of plugin 'good' of good already: rename one of them",
        ),
    ],
)
def test_a_plugin_that_fails_or_takes_a_taken_name_adds_nothing_and_harms_nothing(code, fault, install, call):
    install("good", COMMAND.format(name="tally", then=""))
    install("bad", code)
    assert "Say what made each clip" in call("identify", "--help").out
    assert call("tally", "ab").out == "2\n"
    missing = call("count", "ab")
    assert missing.code == 2
    assert fault in missing.err
    told = call("--help")
    assert told.code == 0
    assert fault in told.err
    assert told.out.count("Count the letters") == 1


def test_a_command_of_ours_asks_no_plugin(command):
    spy = (
        "import sys; from earwitness.cli import main\ntry: main()\nfinally: print('earwitness.plugins' in sys.modules)"
    )
    assert command("identify", "--help", code=spy).stdout.rstrip().endswith("False")
    assert command("--help", code=spy).stdout.rstrip().endswith("True")
