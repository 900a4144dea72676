"""Tells the log of every clip that nothing enrolled explains."""

import logging

from earwitness import hookimpl
from earwitness.types import Verdict


@hookimpl
def verdict_reached(clip: str, verdict: Verdict) -> None:
    """Log it when the source is unknown."""
    if verdict.verdict == "unknown":
        logging.getLogger("acme").warning("%s: an unknown %s %s", clip, verdict.task, verdict.kin)
