"""Draws of known law, for tests of what is promised about them."""

import numpy as np
from scipy import special, stats

from earwitness.calibration import calibrate

SOURCES = tuple("abcd")


def simulated(count, temperature=1.0, classes=4, seed=0):
    """Values whose softmax(values / temperature) is the true posterior."""
    rng = np.random.default_rng(seed)
    logits = 2 * rng.normal(size=(count, classes))
    labels = np.array([rng.choice(classes, p=p) for p in special.softmax(logits, axis=1)])
    return temperature * logits, labels


def example(far=0.05, n=300, m=200, seed=0):
    """A calibration on n clips of known sources, knownness N(2, 1), and m of strangers, N(0, 1)."""
    rng = np.random.default_rng(seed)
    values, labels = simulated(n, 3.0, seed=seed)
    return calibrate(values, labels, rng.normal(2, 1, n), rng.normal(0, 1, m), far, SOURCES)


def within(count, total, rate, level=1e-4):
    """Whether a count out of so many is likely at a rate: the binomial interval that holds all but `level` of draws."""
    low, high = stats.binom.interval(1 - level, total, rate)
    return low <= count <= high
