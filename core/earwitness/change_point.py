"""The second at which one source takes over from another, finer than the windows that heard it.

A window with the share s of its length behind a change at c sounds in part like either side. Where the latter weighs g
times as much as the former in what is measured, the window's embedding is expected at

    x_t = a + w_t (b - a),    w = g s / (g s + 1 - s),

a and b the means of the two sides, which the clip itself tells best. Statistics that one side rules, as the quieter
does low quantiles, give it the more weight; a straight ramp, g = 1, would draw the change towards the other. With
Gaussian residuals of one unknown variance the likelihood of c and g is

    R(c, g)^(-n / 2),    R = min over a, b of sum |x_t - a - w_t (b - a)|^2,    n = d (T - 2) min(1, h / W),

n being what T windows of W seconds, h apart, are worth where they overlap. The change is the mean of c under its
posterior, all c asked about and all g evenly likely before: windows that tell nothing leave it in the middle.

Sources: Hinkley, Inference about the change-point in a sequence of random variables, Biometrika 57, 1970; Smith, A
Bayesian approach to inference about a change-point in a sequence of random variables, Biometrika 62, 1975. The weight g
is ours.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from earwitness.listening import Track

__all__ = ["change_point"]

Array = NDArray[np.float64]

WEIGHTS = 2.0 ** np.arange(-2, 3)
"""What g may be: it is a matter of two recordings, and no clip tells it apart from c for certain."""
ROUNDING = 1e-9


def change_point(tracks: Sequence[Track], seconds: Array) -> float:
    """The second of a change, (n,) those where it may be, ascending, by what all tracks hear.

    Windows further from these on either side than twice their span have no say: there may be other changes.
    """
    logs = np.sum([_log_likelihood(track, seconds) for track in tracks], axis=0)  # (n,)
    posterior = np.exp(logs - logs.max())
    return float(posterior @ seconds / posterior.sum())


def _log_likelihood(track: Track, seconds: Array) -> Array:
    """Of a change at each of (n,) seconds, over all weights: (n,)."""
    starts, window = track.starts.astype(np.float64), track.seconds
    middles, reach = starts + window / 2, 2 * (seconds[-1] - seconds[0])
    near = (middles >= seconds[0] - reach) & (middles <= seconds[-1] + reach)
    starts, sounds = starts[near], track.embeddings[near].astype(np.float64)  # (T,), (T, d)
    if len(starts) < 3:
        return np.zeros(len(seconds))
    shares = np.clip((starts + window - seconds[:, None]) / window, 0.0, 1.0)  # (n, T)
    left = _residual(_weighed(shares), sounds)  # (g, n)
    hop = (starts[-1] - starts[0]) / (len(starts) - 1)
    worth = sounds.shape[1] * (len(starts) - 2) * min(1.0, hop / window)
    return np.asarray(np.logaddexp.reduce(-0.5 * worth * np.log(left), axis=0))


def _weighed(shares: Array) -> Array:
    """How far windows stand from one side to the other, for each of WEIGHTS: (n, T) -> (g, n, T)."""
    heavier = WEIGHTS[:, None, None] * shares
    return np.asarray(heavier / (heavier + 1.0 - shares))


def _residual(places: Array, sounds: Array) -> Array:
    """The share of the scatter of (T, d) that no line through `places` (..., T) on it explains, (...,)."""
    centred, apart = places - places.mean(axis=-1, keepdims=True), sounds - sounds.mean(axis=0)
    explained = np.square(centred @ apart).sum(axis=-1)
    whole = np.square(centred).sum(axis=-1) * np.square(apart).sum()
    return np.asarray(1.0 - explained / (whole + ROUNDING) + ROUNDING)
