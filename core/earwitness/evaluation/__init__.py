"""Thresholds from development clips, figures from test clips, and the rules that keep the two apart."""

from earwitness.evaluation.development import calibrate_registry
from earwitness.evaluation.evaluate import evaluate_registry

__all__ = ["calibrate_registry", "evaluate_registry"]
