"""Calibration and evaluation of a registry on a manifest."""
