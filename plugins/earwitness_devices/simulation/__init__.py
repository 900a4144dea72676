"""Recordings simulated: rooms, backgrounds and devices drawn by the thousand, as degradations."""

from earwitness.contracts import Degradation
from earwitness_devices.simulation.ambience import Ambience
from earwitness_devices.simulation.conference import Conference
from earwitness_devices.simulation.device import SimulatedDevice
from earwitness_devices.simulation.expander import Expander
from earwitness_devices.simulation.response import Response
from earwitness_devices.simulation.room import Room
from earwitness_devices.simulation.traits import Traits

__all__ = ["DEGRADATIONS", "Ambience", "Conference", "Expander", "Response", "Room", "SimulatedDevice", "Traits"]

DEGRADATIONS: tuple[type[Degradation], ...] = (Ambience, Conference, Expander, Response, Room, SimulatedDevice)
"""The degradations of this package, for its hook."""
