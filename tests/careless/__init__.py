"""A plugin of parts that break one rule each of `earwitness.testing`; it is careless itself when it is imported."""

import contextlib
import socket

import tensorflow  # noqa: F401 - a stand-in that the test puts beside this package

from careless.corpora import READERS, SYNTHESIZERS
from careless.embedders import EMBEDDERS
from careless.frontends import FRONTENDS
from careless.networks import NETWORKS
from careless.scorers import SCORERS
from careless.sounds import DEGRADATIONS, TRACERS
from careless.texts import CARDS, PIPELINES
from earwitness import hookimpl

print("careless says hello")
with contextlib.suppress(OSError):
    socket.create_connection(("127.0.0.1", 9), timeout=1).close()


@hookimpl
def register_frontends():
    return FRONTENDS


@hookimpl
def register_embedders():
    return [*EMBEDDERS, *NETWORKS]


@hookimpl
def register_scorers():
    return SCORERS


@hookimpl
def register_tracers():
    return TRACERS


@hookimpl
def register_degradations():
    return DEGRADATIONS


@hookimpl
def register_pipelines():
    return PIPELINES


@hookimpl
def register_sources():
    return CARDS


@hookimpl
def register_synthesizers():
    return SYNTHESIZERS


@hookimpl
def register_corpora():
    return READERS
