"""Made sounds for the tests of cyclic lines: a decoder's, and what has none of its lines."""

import numpy as np

HIFI_GAN = 22050, (8, 8, 2, 2)
KOKORO = 24000, (10, 6, 5)
UNIVNET = 24000, (8, 8, 4)


def decoder(rate, factors, seconds, seed, noise=1.0):
    """(n,): frames of noise through transposed convolutions, each of twice its factor's length; in noise."""
    rng = np.random.default_rng(seed)
    sound = np.abs(rng.standard_normal(int(seconds * rate / np.prod(factors)) + 2))
    for factor in factors:
        spread = np.zeros(len(sound) * factor)
        spread[::factor] = sound
        kernel = np.hanning(2 * factor + 1)[:-1] + 0.3 * rng.standard_normal(2 * factor)
        sound = np.convolve(spread, kernel)[: len(spread)]
        sound = np.maximum(sound, 0.1 * sound)
    sound = sound[: int(seconds * rate)]
    sound = (sound - sound.mean()) / sound.std() + noise * rng.standard_normal(len(sound))
    return (0.1 * sound).astype(np.float32)


def noise(rate, seconds, seed):
    """(n,): white."""
    return (0.1 * np.random.default_rng(seed).standard_normal(int(rate * seconds))).astype(np.float32)


def chirp(rate, seconds, seed):
    """(n,): a tone that sweeps over most of the band, in a little noise."""
    rng = np.random.default_rng(seed)
    time = np.arange(int(rate * seconds)) / rate
    low, high = rng.uniform(100, 500), rng.uniform(0.3, 0.45) * rate
    tone = np.sin(2 * np.pi * (low * time + (high - low) * time**2 / (2 * seconds)))
    return (0.1 * tone + 0.001 * rng.standard_normal(len(time))).astype(np.float32)


def speech(rate, seconds, seed):
    """(n,): a voice whose pitch glides and trembles, syllable after syllable, in a little noise."""
    rng = np.random.default_rng(seed)
    time = np.arange(int(rate * seconds)) / rate
    glide = 0.1 * np.sin(2 * np.pi * rng.uniform(1, 4) * time + rng.uniform(0, 6))
    tremble = 0.02 * np.convolve(rng.standard_normal(len(time)), np.ones(400) / 20, "same")
    phase = 2 * np.pi * np.cumsum(rng.uniform(80, 220) * (1 + glide + tremble)) / rate
    voice = sum(np.sin(k * phase) / k for k in range(1, 30)) * (1 + np.sin(2 * np.pi * 4 * time))
    return (0.1 * voice + 0.005 * rng.standard_normal(len(time))).astype(np.float32)


def music(rate, seconds, seed):
    """(n,): three parts, each note struck at its time and dying away, all in tune and in step."""
    rng = np.random.default_rng(seed)
    time = np.arange(int(rate * seconds)) / rate
    sound = 0.01 * rng.standard_normal(len(time))
    for start in np.repeat(np.arange(0, seconds, 0.4), 3):
        pitch = 440 * 2 ** (rng.integers(-24, 11) / 12)
        own = np.maximum(time - start, 0)
        partials = range(1, min(30, int(rate / 2 / pitch)))
        sound += np.exp(-3 * own) * (own < 0.8) * sum(np.sin(2 * np.pi * k * pitch * own) / k for k in partials)
    return (0.1 * sound).astype(np.float32)
