"""`device`: a microphone with its electronics and firmware, a fixed draw from its numbers."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import soxr
from numpy.typing import NDArray

from earwitness.errors import OptionError
from earwitness.types import FloatArray
from earwitness_devices.simulation._curves import OCTAVES, Curve, Frequencies, on_frequencies, smooth
from earwitness_devices.simulation._dynamics import quantise, soft_clip
from earwitness_devices.simulation._transform import MARGIN, Spectrum, fast_length, gaussian
from earwitness_devices.simulation.self_noise import tone_bins
from earwitness_devices.simulation.traits import Traits, draw_traits


@dataclass(frozen=True, slots=True)
class SimulatedDevice:
    """Record the sound with a device that is drawn from its numbers and is the same in every call.

    Y(f) = 10^(G / 20) R(f) P(f) X(f) + N(f), then saturation, the converter's rate, firmware, an offset and
    rounding. R is a smooth response in dB over log frequency with resonances, tilt, high-pass and band limit; N is
    Gaussian noise of a drawn spectrum and level, in part coloured by R, with hum and switching tones; firmware is a
    gate, spectral suppression or automatic gain in some. What is drawn in each call is the noise itself and the
    placement: P, a level and a smooth curve of about 1 dB, stronger in the lows. Filters have no phase, so the sound
    stays in time. Self-noise has a level of its own: speech should come at about -26 dB of full scale.

    Args:
        seed: The world that devices are drawn in.
        brand: Number of the brand; its models share a house sound, converters, mains and a liking for firmware.
        model: Number of the model within the brand; its units share everything but tolerances.
        unit: Number of the unit within the model.
        placement: Standard deviation in dB of the level from call to call; the other parts of P follow it.
        file: A measured response (`earwitness_devices.simulation.response`) that the model has in place of the one
            drawn; its units differ as others do.

    Raises:
        OptionError: A number is negative, or the file holds no response.
    """

    name: ClassVar[str] = "device"
    seed: int = 0
    brand: int = 0
    model: int = 0
    unit: int = 0
    placement: float = 3.0
    file: str = ""

    def __post_init__(self) -> None:
        if min(self.seed, self.brand, self.model, self.unit) < 0 or self.placement < 0:
            raise OptionError("a device's seed, brand, model, unit and placement can't be negative: count from 0")

    @property
    def traits(self) -> Traits:
        """What was drawn."""
        return draw_traits(self.seed, self.brand, self.model, self.unit, self.file)

    def response(self, frequencies: Frequencies) -> NDArray[np.float64]:
        """What speech is filtered with, in dB at frequencies in Hz, its gain included."""
        return on_frequencies(self.traits.response, frequencies) + self.traits.gain

    def floor(self, frequencies: Frequencies) -> NDArray[np.float64]:
        """The self-noise before saturation and firmware, in dB of full scale a hertz, without its tones."""
        return on_frequencies(self.traits.noise.density, frequencies)

    def __call__(self, samples: FloatArray, rate: int, rng: np.random.Generator) -> FloatArray:
        """(n,) -> (n,)."""
        if not samples.size:
            return samples
        traits = self.traits
        sound = self._converted(soft_clip(self._captured(samples, rate, rng), traits.saturation), rate)
        for stage in traits.stages:
            sound = stage(sound, rate)
        return quantise(sound + np.float32(traits.offset), traits.bits)

    def _captured(self, samples: FloatArray, rate: int, rng: np.random.Generator) -> FloatArray:
        """Through the response with the self-noise, (n,)."""
        length = fast_length(len(samples) + MARGIN)
        frequencies = np.fft.rfftfreq(length, 1.0 / rate)
        curve = self.traits.response + self.traits.gain + self._placement(rng)
        gains = 10.0 ** (on_frequencies(curve, frequencies) / 20.0)
        spectrum = np.fft.rfft(samples, length) * gains.astype(np.float32)
        spectrum += self._noise(frequencies, length, rate, rng)
        return np.fft.irfft(spectrum, length)[: len(samples)].astype(np.float32, copy=False)

    def _placement(self, rng: np.random.Generator) -> Curve:
        """Another distance and angle in each call, in dB."""
        lows = rng.normal(0.0, 2 / 3) / (1.0 + 2.0 ** (2.0 * (OCTAVES + 2.0)))  # under 250 Hz: proximity
        return np.asarray(self.placement * (rng.standard_normal() + lows + smooth(rng, 1 / 3, 1.5)))

    def _noise(self, frequencies: Frequencies, length: int, rate: int, rng: np.random.Generator) -> Spectrum:
        """The self-noise's spectrum: E|N|^2 = density * rate * length / 2."""
        scale = np.sqrt(0.5 * rate * length)
        noise = gaussian(len(frequencies), rng)
        noise *= (scale * 10.0 ** (self.floor(frequencies) / 20.0)).astype(np.float32)
        bins, heights = tone_bins(self.traits.noise.tones, length, rate)
        np.add.at(noise, bins, (heights * np.exp(2j * np.pi * rng.random(len(bins)))).astype(np.complex64))
        return noise

    def _converted(self, samples: FloatArray, rate: int) -> FloatArray:
        """Through a converter that is slower than the clip, and back; a faster one loses nothing."""
        traits = self.traits
        if traits.converter >= rate:
            return samples
        slow = soxr.resample(samples, rate, traits.converter, traits.quality)
        back = soxr.resample(slow, traits.converter, rate, traits.quality)
        return np.pad(back[: len(samples)], (0, max(0, len(samples) - len(back)))).astype(np.float32, copy=False)
