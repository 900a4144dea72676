"""Learning: labelled clips to a model folder. Needs the extra `train`; answering needs nothing of this."""

from earwitness.training.learn import train

__all__ = ["train"]
