"""The rule that development clips bear out."""

from dataclasses import dataclass
from typing import Any, ClassVar

from earwitness.contracts import Scorer
from earwitness.errors import PipelineError


@dataclass(frozen=True, slots=True)
class Auto:
    """A panel of rules, of which calibration chooses one on development clips alone.

    No rule wins everywhere, and none may be chosen by the clips that it will be judged on. So each member is asked
    about the development clips, of enrolled sources and of strangers, and the one that does best there answers from
    then on (`earwitness.evaluation.choosing`); until a registry is calibrated, the first of them does.

    Args:
        members: Names of rules of this package, each with its defaults; the first should do well anywhere.

    Raises:
        PipelineError: a member is no rule of this package, stands twice, or there is none.
    """

    name: ClassVar[str] = "auto"
    members: tuple[str, ...] = ("plda", "openmax", "mahalanobis", "zmin")

    def __post_init__(self) -> None:
        known = _rules()
        strange = [member for member in self.members if member not in known]
        if strange or not self.members or len(set(self.members)) < len(self.members):
            wrong = f"{strange[0]!r} is none" if strange else f"{list(self.members)} doesn't name each once"
            raise PipelineError(f"scorer 'auto': members are some of {', '.join(sorted(known))}, and {wrong}")

    @property
    def scorers(self) -> tuple[Scorer, ...]:
        """The members, in their order."""
        known = _rules()
        return tuple(known[member]() for member in self.members)


def _rules() -> dict[str, Any]:
    """The rules that this package offers, by name."""
    from earwitness_scorers import register_scorers  # the package imports this module first

    return {rule.name: rule for rule in register_scorers() if rule is not Auto}
