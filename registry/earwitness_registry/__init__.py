"""What is known, at rest: cards, references, the FAISS index and thresholds, in one folder."""

from earwitness_registry.cards import Card, Kind, Task

__all__ = ["Card", "Kind", "Task"]
