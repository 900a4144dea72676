"""Recording devices: their cards, what betrays them in a recording, and the pipelines that tell them apart."""

from collections.abc import Iterable
from importlib.resources import files

from earwitness import hookimpl
from earwitness.cards import read_cards
from earwitness.contracts import Degradation, Frontend
from earwitness.types import Card
from earwitness_devices.bed import Bed
from earwitness_devices.channel_response import ChannelResponse
from earwitness_devices.cutoff import Cutoff
from earwitness_devices.hum import Hum
from earwitness_devices.noise_floor import NoiseFloor
from earwitness_devices.noise_spectrum import NoiseSpectrum
from earwitness_devices.quantisation import Quantisation
from earwitness_devices.simulation import DEGRADATIONS

__all__ = [
    "Bed",
    "ChannelResponse",
    "Cutoff",
    "Hum",
    "NoiseFloor",
    "NoiseSpectrum",
    "Quantisation",
    "register_degradations",
    "register_frontends",
    "register_pipelines",
    "register_sources",
]


@hookimpl
def register_frontends() -> Iterable[type[Frontend]]:
    """Return the frontend classes of this plugin."""
    return (Bed, ChannelResponse, Cutoff, Hum, NoiseFloor, NoiseSpectrum, Quantisation)


@hookimpl
def register_degradations() -> Iterable[type[Degradation]]:
    """Return the degradation classes of this plugin."""
    return DEGRADATIONS


@hookimpl
def register_pipelines() -> Iterable[str]:
    """Return the pipelines of this plugin as YAML texts."""
    folder = files("earwitness_devices") / "pipelines"
    return [file.read_text("utf-8") for file in sorted(folder.iterdir(), key=lambda file: file.name)]


@hookimpl
def register_sources() -> Iterable[Card]:
    """Return the cards of the devices this plugin knows."""
    return read_cards(files("earwitness_devices") / "cards.yaml")
