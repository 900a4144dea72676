"""The figures of an evaluation in words."""

from collections.abc import Mapping
from typing import Any

from earwitness.reporting.html import counted

__all__ = ["MEANING", "headline", "metric_rows"]

MEANING = {
    "accuracy": ("accuracy", "clips of known sources whose first rank is right"),
    "accuracy_sets": ("accuracy, siblings as one", "the same, where a declared sibling of the truth is right too"),
    "macro_f1_known": ("macro-F1, K", "mean F1 over the known sources, whatever the threshold"),
    "macro_f1_sets": ("macro-F1, siblings as one", "the same, siblings counted as one source"),
    "macro_f1_open": ("macro-F1, K + 1", "mean F1 over the known sources and 'unknown', at the threshold"),
    "auroc": ("AUROC", "probability that a known clip scores above a stranger"),
    "fpr95": ("FPR95", "share of strangers accepted where 95 % of known clips are"),
    "oscr": ("OSCR", "area of right answers against strangers accepted"),
    "eer": ("EER", "rate at which known and unknown are confused equally often"),
    "far_asked": ("false acceptance asked", "share of strangers allowed to pass"),
    "far_realised": ("false acceptance realised", "share of strangers that passed"),
    "known_accepted": ("known accepted", "share of clips of known sources accepted at the threshold"),
    "family_right": ("family right", "near strangers called unknown, and of their own family"),
    "family_wrong": ("family wrong", "strangers called unknown, and of a family that isn't theirs"),
    "cllr": ("Cllr", "cost of the likelihood ratios in bits; 1 = worthless"),
    "cllr_min": ("Cllr min", "the same after the best possible calibration"),
    "cllr_cal": ("Cllr cal", "what calibration costs: the difference of the two"),
    "ece": ("ECE", "how far the probabilities stated are from how often they come true"),
    "brier": ("Brier", "mean squared distance of the probabilities from the truth; 0 = perfect"),
    "coverage": ("coverage", "share of known clips whose source is among those not ruled out at 95 %"),
    "set_size": ("set size", "sources not ruled out at 95 %, on average"),
}
"""What each metric is called and tells, in the order in which they are told."""


def headline(figures: Mapping[str, Any]) -> list[str]:
    """What was found, in two sentences."""
    known, unknown = figures["clips"]["known"], figures["clips"]["unknown"]
    first = "No clip of a known source was tested: nothing can be said of naming them."
    if known:
        first = (
            f"Of {counted(known, 'clip')} of known sources {_share(figures, 'accuracy')} had the right source in the "
            f"first rank, and {_share(figures, 'known_accepted')} were accepted as known."
        )
    second = "No stranger was tested: nothing can be said of false acceptance."
    if unknown:
        asked = percent(figures["far_asked"])
        second = (
            f"Of {counted(unknown, 'clip')} of strangers {_share(figures, 'far_realised')} were accepted, "
            f"where {asked} % were asked for."
        )
    return [first, second]


def metric_rows(figures: Mapping[str, Any]) -> list[tuple[object, ...]]:
    """Name, value, interval and meaning of each metric that was measured."""
    return [
        (label, figures[name], _interval(figures, name), meaning)
        for name, (label, meaning) in MEANING.items()
        if name in figures
    ]


def percent(share: float) -> str:
    """A share in per cent, with a digit more where it is small."""
    return f"{100 * share:.{1 if share < 0.1 else 0}f}".removesuffix(".0")


def _share(figures: Mapping[str, Any], name: str) -> str:
    """A share with its interval: '93 % [89 to 96]'."""
    bounds = _interval(figures, name)
    told = f" [{percent(bounds[0])} to {percent(bounds[1])}]" if bounds else ""
    return f"{percent(figures[name])} %{told}"


def _interval(figures: Mapping[str, Any], name: str) -> tuple[float, float] | None:
    low, high = figures["intervals"].get(name, (None, None))
    return None if low is None or high is None else (low, high)
