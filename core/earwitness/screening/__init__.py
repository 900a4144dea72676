"""Many clips, one row each: screened by worker processes, written as they come, resumed after a kill."""

from earwitness.screening.flow import Tally, screen

__all__ = ["Tally", "screen"]
