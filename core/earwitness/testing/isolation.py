"""Plugins as a whole: what their import brings along."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import entry_points
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import SkipTest

from earwitness.plugins import ALLOWED, GROUP, Plugin
from earwitness.testing.bench import expect, last_line

__all__ = ["FIRST", "RULES", "Import"]

HEAVY = ("torch", "torchaudio", "speechbrain", "sklearn", "scipy", "matplotlib", "pandas", "librosa", "tensorflow")
NETWORK = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.sendmsg")

SPY = f"""
import json, sys
from importlib.metadata import EntryPoint
from pathlib import Path
from earwitness.plugins import GROUP, KINDS

calls, before = [], set(sys.modules)

def forbid(event, _):
    if event in {NETWORK!r}:
        calls.append(event)
        raise PermissionError("a plugin touches no network when it is imported")

sys.addaudithook(forbid)
try:
    plugin = EntryPoint("plugin", sys.argv[1], GROUP).load()
    for hook in KINDS.values():
        list(getattr(plugin, hook, tuple)() or ())
finally:
    heavy = [name for name in {HEAVY!r} if name in sys.modules.keys() - before]
    Path(sys.argv[2]).write_text(json.dumps({{"heavy": heavy, "calls": calls}}))
"""
"""Imports a plugin, asks it for all that it offers, and writes down what that brought."""


@dataclass(frozen=True)
class Import:
    """A plugin as it was loaded here, and imported again in a process of its own where sockets are forbidden."""

    plugin: Plugin

    @property
    def value(self) -> str:
        """The value of its entry point: its module."""
        points = entry_points(group=GROUP, name=self.plugin.name)
        return next(point.value for point in points if point.dist and point.dist.name == self.plugin.distribution)

    @cached_property
    def report(self) -> dict[str, Any]:
        """The `heavy` modules it imported, its `calls` to the network, and what it `said` on standard output."""
        with TemporaryDirectory() as folder:
            file = Path(folder) / "report.json"
            path = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
            spy = [sys.executable, "-c", SPY, self.value, str(file)]
            done = subprocess.run(spy, env=path, capture_output=True, text=True)
            expect(file.is_file(), f"another process fails: {last_line(done.stderr)}")
            return {**json.loads(file.read_text()), "said": done.stdout.strip()}


def loads(plugin: Import) -> None:
    """Loads: can be imported, has no hook that is none of ours, and offers no name that is taken."""
    if plugin.plugin.barred:
        raise SkipTest(f"{ALLOWED} doesn't list {plugin.plugin.distribution}")
    expect(not plugin.plugin.problem, f"it is set aside: {plugin.plugin.problem}")


def imports_nothing_heavy(plugin: Import) -> None:
    """Imports no torch, scikit-learn, SciPy or the like before a part needs it, so that answering stays light."""
    heavy = plugin.report["heavy"]
    expect(not heavy, f"its import brings {', '.join(heavy)}: import them where they are used")


def touches_no_network(plugin: Import) -> None:
    """Touches no network when it is imported and asked what it offers."""
    calls = plugin.report["calls"]
    expect(not calls, f"its import calls {', '.join(sorted(set(calls)))}")


def prints_nothing(plugin: Import) -> None:
    """Prints nothing when it is imported and asked what it offers: standard output is for answers."""
    said = plugin.report["said"]
    expect(not said, f"its import prints {said[:60]!r}")


FIRST = (loads,)
"""Of a plugin that breaks this, nothing else can be asked."""

RULES = (*FIRST, imports_nothing_heavy, touches_no_network, prints_nothing)
