"""Panels: several rules, of which calibration chooses one."""

from earwitness.contracts import Scorer, ScorerPanel
from earwitness.testing.bench import expect

__all__ = ["RULES"]


def has_members_of_different_names(panel: ScorerPanel) -> None:
    """Has at least one rule, all rules, each of another name."""
    members = panel.scorers
    names = [member.name for member in members]
    expect(bool(members), "it has no rule")
    expect(all(isinstance(member, Scorer) for member in members), "not all its members are rules")
    expect(len(set(names)) == len(names), f"its rules are {', '.join(names)}")


RULES = (has_members_of_different_names,)
