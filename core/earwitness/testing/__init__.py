"""The contract of plugins as a suite that runs: what a part must hold, before any user meets it.

With pytest, in a plugin's own tests:

    from earwitness.testing import parametrize_with_checks

    @parametrize_with_checks("acme")
    def test_acme_keeps_the_rules(check):
        check()

Without it: `earwitness plugins check acme`. Each rule is a function whose docstring's first line is the rule. A check
is one rule asked of one part, and its name says of which: `frontend.acme.finite_for_odd_input`. A part that can't keep
a rule is excused with a reason, by `parametrize_with_checks("acme", {"frontend.acme.finite_for_odd_input": "..."})` or
`--excuse`; when it keeps the rule after all, the excuse is a failure.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from earwitness.testing.checks import GROUPS, Check, Result, checks_of, run, verified

if TYPE_CHECKING:
    import pytest

__all__ = ["GROUPS", "Check", "Result", "checks_of", "parametrize_with_checks", "run", "verified"]


def parametrize_with_checks(plugin: str, expected_failures: Mapping[str, str] | None = None) -> "pytest.MarkDecorator":
    """A decorator for pytest: the test function gets every check of an installed plugin as its argument `check`.

    Args:
        plugin: Its name in `earwitness plugins list`.
        expected_failures: Reasons by the names of the checks that they excuse; an excused check that passes is a
            failure.

    Raises:
        PluginError: no such plugin is installed.
        OptionError: an excuse names no check, or has no reason.
    """
    import pytest

    checks = checks_of(plugin)
    excuses = verified(checks, expected_failures or {})
    marks = {name: [pytest.mark.xfail(reason=reason, strict=True)] for name, reason in excuses.items()}
    return pytest.mark.parametrize(
        "check", [pytest.param(check, id=check.name, marks=marks.get(check.name, [])) for check in checks]
    )
