"""What scores mean: thresholds, likelihood ratios, probabilities and p-values that development clips bear."""

from earwitness.calibration.calibration import Calibration, calibrate
from earwitness.calibration.isotonic import fit_isotonic_ratio, pav
from earwitness.calibration.likelihood import LikelihoodRatio, empirical_bounds, fit_likelihood_ratio, support
from earwitness.calibration.naming import naming_threshold
from earwitness.calibration.pairs import PairCalibration, calibrate_pairs
from earwitness.calibration.probabilities import fit_temperature, softmax
from earwitness.calibration.thresholds import acceptance_threshold, fewest_strangers, source_thresholds

__all__ = [
    "Calibration",
    "LikelihoodRatio",
    "PairCalibration",
    "acceptance_threshold",
    "calibrate",
    "calibrate_pairs",
    "empirical_bounds",
    "fewest_strangers",
    "fit_isotonic_ratio",
    "fit_likelihood_ratio",
    "fit_temperature",
    "naming_threshold",
    "pav",
    "softmax",
    "source_thresholds",
    "support",
]
