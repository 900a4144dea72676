"""Recipes side by side: the same clips, the same rules, what each gets right and what it costs."""

from earwitness.bench.run import bench

__all__ = ["bench"]
