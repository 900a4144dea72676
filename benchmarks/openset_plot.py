"""The picture of benchmarks/openset.py: macro-F1 over K + 1 against the threshold, clean and after codecs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

COLOURS = ("#0072b2", "#d55e00", "#009e73")


def plot(sweeps: Mapping[str, Mapping[str, Mapping[str, Sequence[float]]]], file: Path) -> None:
    """One panel a condition, one line a rule."""
    figure = Figure(figsize=(9, 3.6), dpi=150, layout="constrained")
    panels: Any = figure.subplots(1, len(sweeps), sharey=True, squeeze=False)[0]
    for panel, (condition, rules) in zip(panels, sweeps.items(), strict=True):
        for colour, (name, points) in zip(COLOURS, rules.items(), strict=True):
            panel.plot(points["threshold"], points["macro_f1"], color=colour, label=name)
        panel.set(title=condition, xlabel="threshold on the probability of a known source", xlim=(0, 1))
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].set(ylabel="macro-F1 over K + 1", ylim=(0, None))
    panels[0].legend(frameon=False)
    figure.savefig(file)
