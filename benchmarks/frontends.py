"""How fast the frontends are beside torchaudio, librosa and the bare transform of their frames.

One thread, one made clip, runs interleaved so that a busy machine slows all alike; medians, as Markdown.

    OMP_NUM_THREADS=1 python benchmarks/frontends.py [--seconds 4] [--runs 100]
"""

import argparse
import os
from collections.abc import Callable
from functools import partial

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read by OpenBLAS and torch when they are imported

import librosa
import numpy as np
import torch
import torchaudio
from stopwatch import interleaved

from earwitness.parts import Settled
from earwitness.types import Clip, Origin
from earwitness_cyclic import CyclicLines, LatticeTracer
from earwitness_cyclic._orders import BAND, second_order
from earwitness_frontends import (
    AcousticStats,
    Cqcc,
    Fingerprint,
    Gsv,
    Ivector,
    Lfcc,
    LogMel,
    Mfcc,
    Mfcc39,
    Residual,
    Tandem,
)
from earwitness_frontends._constant_q import centres, constant_q

RATE, FRAME, HOP, N_FFT = 16_000, 400, 160, 400
SPECTRUM = {"n_fft": N_FFT, "win_length": FRAME, "hop_length": HOP, "center": False}


def contestants(samples: np.ndarray) -> dict[str, Callable[[], object]]:
    """Each does the whole of its work on one clip, (n,)."""
    tensor = torch.from_numpy(samples)
    lfcc = torchaudio.transforms.LFCC(RATE, n_filter=20, n_lfcc=20, log_lf=True, speckwargs=SPECTRUM)
    frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME)[::HOP].copy()
    mel = {"sr": RATE, **SPECTRUM, "window": "hamming", "htk": True, "norm": None}

    def torchaudio_lfcc60() -> torch.Tensor:
        static = lfcc(tensor)
        delta = torchaudio.functional.compute_deltas(static)
        return torch.cat([static, delta, torchaudio.functional.compute_deltas(delta)])

    return {
        "bare rfft": lambda: np.fft.rfft(frames, N_FFT),
        "lfcc60": lambda: Lfcc()(samples[None], RATE),
        "torchaudio LFCC": lambda: lfcc(tensor),
        "torchaudio LFCC + deltas": torchaudio_lfcc60,
        "mfcc40": lambda: Mfcc()(samples[None], RATE),
        "librosa MFCC": lambda: librosa.feature.mfcc(y=samples, n_mfcc=40, n_mels=40, **mel),
        "log_mel": lambda: LogMel()(samples[None], RATE),
        "librosa log-mel": lambda: np.log(librosa.feature.melspectrogram(y=samples, n_mels=80, **mel) + 1e-10),
    }


def published(samples: np.ndarray) -> dict[str, Callable[[], object]]:
    """Each does the whole of its work on one clip, (n,); those that learn have learned from two others."""
    others = np.random.default_rng(1).normal(0, 1, (2, len(samples))).astype(np.float32)
    parts = [Cqcc(), Mfcc39(), Tandem(), AcousticStats(), Fingerprint(), Residual()]
    fitted = [Settled(part, "", part.fit([part(others, RATE)])) for part in (Gsv(), Ivector())]
    names = [*(part.name for part in parts), "gsv", "ivector"]
    return {name: partial(part, samples[None], RATE) for name, part in zip(names, parts + fitted, strict=True)}


def constant_qs(samples: np.ndarray) -> dict[str, Callable[[], object]]:
    """The transform of `cqcc60` and librosa's on the same grid, but for the twelve highest bins, which it can't have.

    With the offset of `cqcc60` in bandwidth, and with none.
    """
    q = 1 / np.tanh(np.log(2) / 96)
    grid = {"sr": RATE, "hop_length": HOP, "fmin": centres(RATE, 9, 96)[0], "n_bins": 852, "bins_per_octave": 96}
    return {
        "constant Q": lambda: constant_q(samples, RATE, HOP, 9, 96, 228.7),
        "librosa's": lambda: librosa.vqt(samples, gamma=228.7 / q, **grid),
        "constant Q, no offset": lambda: constant_q(samples, RATE, HOP, 9, 96, 0.0),
        "librosa's, no offset": lambda: librosa.cqt(samples, **grid),
    }


def cyclic(samples: np.ndarray, rate: int) -> dict[str, Callable[[], object]]:
    """Each does the whole of its work on one clip, (n,)."""
    origin = Origin("made.wav", "", "", "wav", "pcm", rate, 1, len(samples) / rate)
    frequencies = np.abs(np.fft.fftfreq(len(samples), 1 / rate))

    def whole_transforms() -> list[np.ndarray]:
        transform = np.fft.fft(samples)
        bands = (transform * (frequencies // BAND == band) for band in range(int(rate / 2 / BAND)))
        return [np.fft.rfft(np.abs(np.fft.ifft(band)) ** 2) for band in bands]

    at = f"{rate // 1000} kHz"
    half = np.float32(0.5)  # other samples, so that no spectra kept from the line before serve it
    return {
        f"cyclic_lines, {at}": lambda: CyclicLines()(samples[None], rate),
        f"lattice tracer, {at}": lambda: LatticeTracer()(Clip(samples * half, rate, origin)),
        f"envelopes' spectra of cyclic_lines, {at}": lambda: second_order(samples, rate),
        f"the same by a whole transform a band, {at}": whole_transforms,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--runs", type=int, default=100)
    options = parser.parse_args()
    torch.set_num_threads(1)
    samples = np.random.default_rng(0).normal(0, 0.1, round(options.seconds * RATE)).astype(np.float32)
    fine = np.random.default_rng(1).normal(0, 0.1, round(options.seconds * 48_000)).astype(np.float32)
    medians = interleaved(contestants(samples), options.runs)
    medians |= interleaved(published(samples), options.runs)
    medians |= interleaved(constant_qs(samples), max(1, options.runs // 10))
    medians |= interleaved(cyclic(samples, RATE) | cyclic(fine, 48_000), max(1, options.runs // 10))

    print(f"| {options.seconds:g} s, at 16 kHz unless it says so | ms | x real time |\n| --- | ---: | ---: |")
    for name, seconds in medians.items():
        print(f"| {name} | {1000 * seconds:.2f} | {options.seconds / seconds:,.0f} |")
    print("\n| ratio of times | found | budget |\n| --- | ---: | ---: |")
    for slow, fast, budget in (
        ("torchaudio LFCC", "lfcc60", "at least 1.5"),
        ("torchaudio LFCC + deltas", "lfcc60", ""),
        ("lfcc60", "bare rfft", "under 3"),
        ("librosa MFCC", "mfcc40", "at least 3"),
        ("librosa log-mel", "log_mel", "at least 3"),
        ("librosa's", "constant Q", "at least 5"),
        ("librosa's, no offset", "constant Q, no offset", "at least 5"),
        ("librosa's", "cqcc60", "at least 5"),
        ("the same by a whole transform a band, 48 kHz", "envelopes' spectra of cyclic_lines, 48 kHz", "over 1"),
    ):
        print(f"| {slow} / {fast} | {medians[slow] / medians[fast]:.2f} | {budget} |")


if __name__ == "__main__":
    main()
