"""Single clips of an evaluation, to be seen and heard: a typical one a source, and the worst mistakes."""

import numpy as np

from earwitness.audio import Fallback
from earwitness.errors import AudioError
from earwitness.evaluation.scoring import STRANGER, Scored
from earwitness.listening import Excerpt
from earwitness.reporting.html import Html, joined, pictures, tag
from earwitness.reporting.sound import beginning, player, spectrogram
from earwitness.types import IntArray

__all__ = ["mistakes", "typical_clips", "worst"]

SECONDS = 10.0
"""How much of a clip is played."""
GLIMPSE = 4.0
"""How much of a typical clip is shown."""
MOST_PLAYED, MOST_SHOWN = 12, 40
"""How many clips a page holds: it stays under 15 MB."""


def typical_clips(scored: Scored, fallback: Fallback | None = None) -> Html:
    """The spectrogram of the clip nearest to the mean of each source's clips; strangers come last."""
    truths = np.array([row.source or "unknown" for row in scored.rows])
    order = sorted(set(truths.tolist()), key=lambda name: (name not in scored.sources, name))
    shown = []
    for name in order[:MOST_SHOWN]:
        own = np.flatnonzero(truths == name)
        middle = scored.means[own].mean(axis=0)
        known = "" if name in scored.sources or name == "unknown" else " (a stranger)"
        shown.append(_spectrogram(scored, int(own[np.argmax(scored.means[own] @ middle)]), f"{name}{known}", fallback))
    left = f"The first {MOST_SHOWN} of {len(order)}." if len(order) > MOST_SHOWN else ""
    return joined([pictures(*shown), *([tag("p", left, class_="soft")] if left else [])])


def mistakes(scored: Scored, answers: IntArray, fallback: Fallback | None = None) -> Html:
    """The wrong answers (n,) that stated the highest probability, to be heard."""
    return pictures(*(_mistake(scored, int(row), int(answers[row]), fallback) for row in worst(scored, answers)))


def worst(scored: Scored, answers: IntArray) -> IntArray:
    """The rows of wrong answers, the highest probability stated first; a sibling of the truth is no mistake."""
    names = [[*scored.sources, "unknown"][label] for label in scored.labels]
    wrong = [
        (-(verdict.stated or 0.0), row)
        for row, (name, verdict) in enumerate(zip(names, scored.verdicts, strict=True))
        if answers[row] != scored.labels[row] and name not in verdict.siblings
    ]
    return np.array([row for _, row in sorted(wrong)[:MOST_PLAYED]], np.int64)


def _mistake(scored: Scored, row: int, answer: int, fallback: Fallback | None) -> Html:
    truth = scored.rows[row].source or "unknown"
    stranger = ", a stranger," if scored.labels[row] == STRANGER else ""
    said = [*scored.sources, "unknown"][answer]
    told = joined([tag("strong", truth), f"{stranger} was taken for ", tag("strong", said)])
    note = f" with probability {scored.verdicts[row].stated or 0.0:.2f}: {scored.verdicts[row].clip}"
    return _spectrogram(scored, row, joined([told, note]), fallback, played=True)


def _spectrogram(scored: Scored, row: int, caption: object, fallback: Fallback | None, played: bool = False) -> Html:
    """A clip as a picture with its player, or why it can't be read any more."""
    asked = scored.rows[row]
    try:
        clip = beginning(Excerpt(asked.path, asked.start, asked.end), SECONDS if played else GLIMPSE, fallback)
    except AudioError as error:
        return tag("p", f"{error}", class_="soft")
    shown = spectrogram(clip, caption)
    return tag("div", shown, player(clip)) if played else shown
