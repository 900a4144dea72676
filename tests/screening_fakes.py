"""Engines without a network, for tests of screening; a module of its own, since workers import it by name."""

import json
import os
import signal
import sys
import time
from pathlib import Path

from earwitness.audio import printable
from earwitness.errors import RegistryMissingError
from earwitness.screening import screen
from earwitness.types import Evidence, Rank, Verdict


class FakeEngine:
    """Answers by what the file's bytes say: 'known', 'unknown', 'bad', or a way to die."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def tasks(self, asked):
        return ("system", "device") if asked == "all" else (asked,)

    def identify_many(self, paths, task="all"):
        for path in paths:
            content = Path(path).read_bytes()
            time.sleep(0.002)
            for each in self.tasks(task):
                yield self.verdict(path, content, each)

    def verdict(self, path, content, task):
        name = printable(path)
        match content.split()[-1]:
            case b"known":
                ranking = (Rank("acme", 0.9, 0.8), Rank("other", None, 0.1))
                return Verdict(
                    name, "ab", task, "known", "acme", knownness=1.5, ranking=ranking, registry={"version": 3}
                )
            case b"unknown":
                evidence = (Evidence("acme", 'a "quoted", name\n', 0.5),)
                return Verdict(name, "cd", task, "unknown", knownness=-1.5, evidence=evidence, warnings=("short",))
            case b"exit":
                os._exit(7)
            case b"segfault":
                os.kill(os.getpid(), signal.SIGSEGV)
            case b"raise":
                raise ZeroDivisionError("a bug in a plugin")
        return Verdict(name, None, task, "error", error="not audio")


def open_fake(_registry, _device):
    return FakeEngine()


def open_missing(_registry, _device):
    raise RegistryMissingError("no registry here: make one")


def open_once(_registry, _device):
    """Opens in the first process and dies in every worker."""
    if os.environ.get("OMP_NUM_THREADS") == "1" and "spawn_main" in str(sys.orig_argv):
        os._exit(9)
    return FakeEngine()


class Threads(FakeEngine):
    """Says in its rows how many threads it was given."""

    def verdict(self, path, _content, task):
        return Verdict(printable(path), None, task, "abstain", warnings=(os.environ.get("OMP_NUM_THREADS", "unset"),))


def open_threads(_registry, _device):
    return Threads()


if __name__ == "__main__":
    folder, out, options = sys.argv[1:]
    print(screen([folder], Path(out), opener=open_fake, **json.loads(options)))
