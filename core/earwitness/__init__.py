"""Earwitness: what made this clip of speech? Open-set attribution of recording devices and synthesis systems."""

import pluggy

__all__ = ["hookimpl"]
__version__ = "0.1.0"

hookimpl = pluggy.HookimplMarker("earwitness")
