"""What happens to sound between its source and us: levels, offsets, filters, noise and codecs."""

from collections.abc import Iterable

from earwitness import hookimpl
from earwitness.contracts import Degradation
from earwitness_degradations.band import Band
from earwitness_degradations.codec import Codec
from earwitness_degradations.cvsd import Cvsd
from earwitness_degradations.equaliser import Equaliser
from earwitness_degradations.gain import Gain
from earwitness_degradations.noise import Noise
from earwitness_degradations.offset import Offset

__all__ = ["Band", "Codec", "Cvsd", "Equaliser", "Gain", "Noise", "Offset", "register_degradations"]


@hookimpl
def register_degradations() -> Iterable[type[Degradation]]:
    """Return the degradation classes of this plugin."""
    return (Band, Codec, Cvsd, Equaliser, Gain, Noise, Offset)
