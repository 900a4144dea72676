"""Where a family's name is all that a clip bears: its source, or an unenrolled version of it?

A family with several enrolled sources can tell what a version that isn't enrolled looks like: each source's clips,
heard as if it alone were not. `naming_threshold` is the knownness at which the likelihood ratio of 'an enrolled
source of the family' against 'another version of it' is 1.
"""

import numpy as np
from numpy.typing import NDArray

from earwitness.calibration.likelihood import fit_likelihood_ratio

__all__ = ["FEWEST_KIN", "naming_threshold"]

FEWEST_KIN = 10
"""Clips of each kind under which a family bears no threshold."""


def naming_threshold(enrolled: NDArray[np.float64], unenrolled: NDArray[np.float64]) -> float | None:
    """The knownness at which a family's clip is as likely of an enrolled source as of another version.

    None where there are under 10 clips of a kind, or where knownness doesn't tell them apart.

    Args:
        enrolled: (n,) knownness of clips of the family.
        unenrolled: (m,) knownness of the same as if their source alone weren't enrolled.
    """
    if min(len(enrolled), len(unenrolled)) < FEWEST_KIN:
        return None
    return fit_likelihood_ratio(enrolled, unenrolled).even
