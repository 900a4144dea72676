"""Degradations: what happens to sound on its way to us."""

import numpy as np

from earwitness.testing.bench import Bench, expect
from earwitness.testing.made import RATE, odd_sounds, voice
from earwitness.types import FloatArray

__all__ = ["RULES", "DegradationBench"]

MOST_LAG = 0.005


class DegradationBench(Bench):
    """A degradation with a second of voices at 16 kHz, each with a generator of one seed."""

    lively = np.stack([voice(seed) for seed in range(4)])
    strange = odd_sounds(RATE)

    def degrade(self, samples: FloatArray, rate: int = RATE, seed: int = 0) -> FloatArray:
        """(n,) -> (n,)."""
        sound: FloatArray = self.part(samples, rate, np.random.default_rng(seed))
        return sound

    def answer(self, batch: FloatArray) -> FloatArray:
        """(B, n) -> (B, n)."""
        return np.stack([self.degrade(samples) for samples in batch])


def keeps_length_and_rate(bench: DegradationBench) -> None:
    """Gives as many float32 samples as it got, at any rate, from none on."""
    sounds = [(voice(0, 0.5, rate), rate) for rate in (8000, 16000, 44100, 48000)]
    scraps = [(voice(0)[:count], RATE) for count in (0, 1, 7, 300)]
    for samples, rate in (*sounds, *scraps):
        after = bench.degrade(samples, rate)
        expect(after.shape == samples.shape, f"{len(samples)} samples at {rate} Hz become {after.shape}")
        expect(after.dtype == np.float32, f"samples are {after.dtype}, not float32")


def all_chance_comes_from_its_generator(bench: DegradationBench) -> None:
    """Takes all chance from its generator: the same seed, the same sound."""
    for seed in range(4):
        first, second = (bench.degrade(bench.batch[0], seed=seed) for _ in range(2))
        expect(np.array_equal(first, second), "the same seed gives two sounds")


def stays_in_time(bench: DegradationBench) -> None:
    """Stays in time with its input, within 5 ms."""
    for seed in range(4):
        sound = bench.batch[seed]
        after = bench.degrade(sound, seed=seed)
        spectra = np.fft.rfft(after, 2 * len(sound)) * np.fft.rfft(sound, 2 * len(sound)).conj()
        peak = int(np.abs(np.fft.irfft(spectra)).argmax())
        lag = min(peak, 2 * len(sound) - peak) / RATE
        expect(lag <= MOST_LAG, f"its sound lies {1000 * lag:.0f} ms off")


RULES = (keeps_length_and_rate, all_chance_comes_from_its_generator, stays_in_time)
