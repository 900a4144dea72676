"""A linear predictive vocoder: speech taken apart into filter, pitch and loudness, and made again from these alone.

Paper: Atal and Hanauer 1971, "Speech Analysis and Synthesis by Linear Prediction of the Speech Wave". A frame is
s[n] = sum_k a_k s[n-k] + g e[n], where e is a train of pulses in voiced speech and white noise elsewhere.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_toeplitz
from scipy.signal import get_window, lfilter

ORDER = 24
FRAME, HOP = 640, 160  # samples: 40 and 10 ms at 16 kHz
PITCH_HZ = (70.0, 400.0)
VOICED = 0.45  # least correlation between neighbouring periods
EMPHASIS = 0.9
WHITE_FLOOR = 1e-5  # share of a frame's power added as white noise, which keeps silent frames solvable

Array = NDArray[np.float64]


def autocorrelation(samples: Array) -> Array:
    """Return the autocorrelation of the windowed frames, shape (frames, lags)."""
    padded = np.pad(samples, (FRAME // 2, FRAME))
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP] * get_window("hann", FRAME)
    power = np.abs(np.fft.rfft(frames, 2 * FRAME)) ** 2
    return np.asarray(np.fft.irfft(power)[:, :FRAME])


def periods(samples: Array, rate: int) -> Array:
    """Return each frame's pitch period in samples, 0 where it is unvoiced (Boersma 1993), shape (frames,)."""
    window = np.fft.irfft(np.abs(np.fft.rfft(get_window("hann", FRAME), 2 * FRAME)) ** 2)[:FRAME]
    shortest, longest = int(rate / PITCH_HZ[1]), int(rate / PITCH_HZ[0])
    lags = autocorrelation(samples)
    peaks = lags[:, shortest:longest] / window[shortest:longest]  # the window's own decay taken out
    best = np.argmax(peaks, axis=1)
    voiced = peaks[np.arange(best.size), best] * window[0] > VOICED * lags[:, 0]
    return np.where(voiced, best + shortest, 0.0)


def excitation(periods: Array, rng: np.random.Generator) -> Array:
    """Return pulses or noise of about unit power for each frame's hop, shape (frames x HOP,)."""
    sound = rng.standard_normal(periods.size * HOP)
    phase = 0.0
    for place, period in enumerate(np.repeat(periods, HOP)):
        if period:
            phase += 1 / period
            sound[place] = np.sqrt(period) * (phase >= 1) - 1 / np.sqrt(period)  # pulses without offset
            phase %= 1
    return sound


def vocode(samples: Array, rate: int, rng: np.random.Generator) -> Array:
    """Return the speech made again from its filters, pitch and loudness, shape (samples,)."""
    lags = autocorrelation(np.asarray(lfilter([1, -EMPHASIS], [1], samples)))
    lags[:, 0] = lags[:, 0] * (1 + WHITE_FLOOR) + np.finfo(np.float32).tiny
    source = np.pad(excitation(periods(samples, rate), rng), (HOP, 2 * HOP))
    fade = get_window("hann", 2 * HOP)  # neighbours sum to 1
    made = np.zeros(source.size + FRAME)
    for index, frame in enumerate(lags):
        filter_ = solve_toeplitz(frame[:ORDER], frame[1 : ORDER + 1])  # (ORDER,)
        gain = np.sqrt(max(frame[0] - filter_ @ frame[1 : ORDER + 1], 0.0) / FRAME)
        piece = np.pad(source[index * HOP : (index + 2) * HOP] * fade, (0, FRAME))
        made[index * HOP : index * HOP + piece.size] += lfilter([gain], np.append(1.0, -filter_), piece)
    return np.asarray(lfilter([1], [1, -EMPHASIS], made)[HOP : HOP + samples.size])
