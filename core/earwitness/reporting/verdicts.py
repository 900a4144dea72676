"""The forensic report of one clip or a few: propositions, likelihood ratio, evidence, limits and origin.

It says how far the findings speak for one proposition against another, and never that one is true.
Source: ENFSI Guideline for Evaluative Reporting in Forensic Science, 2015.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from earwitness.audio import Fallback
from earwitness.engine import Engine
from earwitness.errors import AudioError
from earwitness.listening import Excerpt
from earwitness.plotting import draw_timeline
from earwitness.reporting.drawing import drawn
from earwitness.reporting.html import Html, facts, joined, listed, page, picture, section, table, tag
from earwitness.reporting.provenance import code, provenance
from earwitness.reporting.sound import beginning, player, spectrogram
from earwitness.tracing import NOTHING
from earwitness.types import Trace, Verdict

__all__ = ["statement", "write_verdicts"]

SECONDS = 60.0
"""How much of a clip is shown and played."""
LIMITS = (
    "The likelihood ratio says how much more probable these findings are under one proposition than under the other. "
    "It is not the probability that a proposition is true: that depends on all other evidence too.",
    "The verbal scale is that of ENFSI (2015): under 2 no support, to 10 weak, to 100 moderate, to 1,000 moderately "
    "strong, to 10,000 strong, to 1,000,000 very strong, above that extremely strong.",
    "Both propositions are about what made the sound. Nothing is said of who speaks, of what is said, or of whether "
    "anybody meant to deceive.",
    "A source is known only by the clips enrolled under its name. A newer version, another voice or another setting of "
    "it may look like a stranger, and a close relative that isn't enrolled may look like it.",
    "The figures hold for clips like those of the calibration set. Coding, noise, rooms, playback and editing that "
    "it doesn't hold weaken them in ways that can't be told from here.",
    "To find no trace proves nothing: genuine speech, classic engines and many others leave none.",
    "A clip that was cut together from several sources may be named by the longest of them: see the timeline.",
)


def write_verdicts(file: Path, engine: Engine, clips: Sequence[Path], verdicts: Sequence[Verdict]) -> None:
    """Write the report of clips with their verdicts, as `Engine.identify_many` gives them: clip by clip, one a task.

    Raises:
        AudioError: A clip changed since.
        MissingExtraError: matplotlib isn't there.
    """
    judges = tuple(engine.judge(task) for task in dict.fromkeys(verdict.task for verdict in verdicts))
    groups = zip(*[iter(verdicts)] * len(judges), strict=True)
    articles = [_article(*each, engine.catalogue.read_clip) for each in zip(clips, groups, strict=True)]
    chance = {"Seed": "none: no step of an answer is left to chance"}
    body = (*articles, section("What this does not mean", listed(LIMITS)), provenance(engine, judges, chance))
    file.write_text(page("Earwitness report", *body), encoding="utf-8")


def _article(path: Path, verdicts: Sequence[Verdict], fallback: Fallback) -> Html:
    """All about one clip."""
    first = verdicts[0]
    title = tag("h1", f"What made {Path(first.clip).name}?")
    if first.error:
        return tag("article", title, tag("p", f"It could not be heard: {first.error}.", class_="warning"))
    return tag(
        "article",
        title,
        *(_findings(verdict) for verdict in verdicts),
        section("Traces in the signal itself", _traces(first)),
        section("The clip", *_clip(first, path, fallback)),
    )


def _clip(verdict: Verdict, path: Path, fallback: Fallback) -> tuple[Html, ...]:
    """What was given, to be heard and seen, and the digests by which it is known again."""
    clip = beginning(Excerpt(path), SECONDS, fallback)
    origin = clip.origin
    if origin.sha256 != verdict.sha256:
        raise AudioError(f"{verdict.clip} changed while it was being answered for: ask again")
    shown = min(SECONDS, origin.duration)
    told = facts(
        [
            ("File", code(verdict.clip)),
            ("SHA-256 of the file", code(origin.sha256)),
            ("SHA-256 of the decoded samples", code(origin.samples_sha256)),
            ("Length", f"{origin.duration:.2f} s"),
            ("Format", f"{origin.container}, {origin.codec}, {origin.native_rate} Hz, channels: {origin.channels}"),
        ]
    )
    caption = f"{'The first ' if shown < origin.duration else ''}{shown:.1f} s; the player's copy is re-encoded."
    return told, player(clip), spectrogram(clip, caption, (5.0, 2.2))


def _findings(verdict: Verdict) -> Html:
    """The answer to one question."""
    asked = {"system": "Which system spoke?", "device": "Which device recorded?"}[verdict.task]
    return section(
        asked,
        tag("div", *(tag("p", line) for line in statement(verdict)), class_="statement"),
        _warnings(verdict),
        facts(_figures(verdict)),
        _headed("Ranking", _ranking(verdict)),
        _headed("Nearest enrolled clips", _evidence(verdict)),
        _headed("Timeline", _timeline(verdict)),
    )


def _headed(title: str, content: Html) -> Html:
    return joined([tag("h3", title), content]) if content else Html()


def statement(verdict: Verdict) -> list[str]:
    """Two propositions, and how far the findings speak for one of them, sentence by sentence."""
    count, name = verdict.registry["sources"], verdict.registry["name"]
    one = "the one source" if count == 1 else f"one of the {count} sources"
    if verdict.knownness is None:
        return ["The clip can't bear an answer: neither proposition is supported."]
    made = {"device": "recorded", "system": "made"}[verdict.task]
    both = [
        f"Proposition 1: {one} enrolled in the registry '{name}' {made} this clip.",
        "Proposition 2: something else did.",
    ]
    if verdict.log10_lr is None:
        return [*both, "No likelihood ratio can be had: the registry has not been calibrated."]
    return [*both, _weighed(verdict.log10_lr, str(verdict.support))]


def _weighed(log10_lr: float, support: str) -> str:
    """The likelihood ratio with its verbal band."""
    band = support.partition(" against")[0]
    if band.startswith("no "):
        return f"The findings support neither (likelihood ratio {_ratio(log10_lr)})."
    one, other = ("1", "2") if log10_lr > 0 else ("2", "1")
    times = _ratio(abs(log10_lr))
    return (
        f"The findings are about {times} times more probable under proposition {one} than under proposition {other}: "
        f"{band} support for proposition {one} (log10 of the likelihood ratio {log10_lr:.2f})."
    )


def _ratio(log10_lr: float) -> str:
    """A ratio with two digits that count."""
    value = float(f"{10**log10_lr:.2g}")
    return f"{value:,.0f}" if value >= 10 else f"{value:g}"


def _figures(verdict: Verdict) -> list[tuple[str, object]]:
    """What stands behind the statement, where it is known."""
    if verdict.knownness is None or verdict.threshold is None:
        return []
    side = "reached" if verdict.knownness >= verdict.threshold else "not reached"
    named = verdict.siblings or tuple(filter(None, [verdict.source]))
    return [
        ("Knownness", f"{verdict.knownness:.2f}; the threshold of {verdict.threshold:.2f} is {side}"),
        ("Answer at this threshold", _answer(named, verdict)),
        ("Not ruled out at 95 %", ", ".join(verdict.candidates)),
        ("Named by their cards for the trace", ", ".join(verdict.suspects)),
        ("Probability", _share(verdict.probability, "the answer's source" if named else "the source ranked first")),
        ("Probability of a stranger", _share(verdict.unknown_probability, "where half of all clips are strangers'")),
        ("Conformal p-value", f"{verdict.p_value:.3f} of 'it is one of the enrolled'" if verdict.p_value else None),
        ("Carried by", ", ".join(map(str, verdict.experts))),
    ]


def _answer(named: Sequence[str], verdict: Verdict) -> str:
    """What the engine says where its threshold decides."""
    if not named:
        return f"unknown: none of the enrolled sources{verdict.kin and f', yet {verdict.kin}'}"
    alike = " (nothing tells them apart)" if len(named) > 1 else ""
    return f"{' or '.join(named)}{alike}{verdict.kin and f', {verdict.kin}'}"


def _share(value: float | None, of: str) -> str | None:
    return None if value is None else f"{value:.3f} ({of})"


def _warnings(verdict: Verdict) -> Html:
    return joined(tag("p", f"Note: {each}.", class_="warning") for each in verdict.warnings)


def _ranking(verdict: Verdict) -> Html:
    """The sources by how well they fit, with bars where there are probabilities."""
    if verdict.probability is None:
        return table(("source", "cosine"), [(rank.source, rank.similarity) for rank in verdict.ranking])
    rows = [(rank.source, rank.probability, rank.similarity, _bar(rank.probability)) for rank in verdict.ranking]
    return table(("source", "probability", "cosine", ""), rows)


def _bar(share: float | None) -> Html:
    width = f"width:{100 * (share or 0.0):.1f}%"
    return tag("span", tag("span", class_="bar", style=width), class_="track")


def _evidence(verdict: Verdict) -> Html:
    rows = [(each.source, code(each.clip), each.similarity) for each in verdict.evidence]
    return table(("source", "enrolled clip", "cosine"), rows)


def _timeline(verdict: Verdict) -> Html:
    if not verdict.segments:
        return Html()
    sources = dict.fromkeys(segment.source or "unknown" for segment in verdict.segments)
    alt = f"Timeline of {len(verdict.segments)} windows: {', '.join(sources)}"
    caption = "Each bar is a part of the clip at its knownness, in the colour of its source."
    return picture(drawn(partial(draw_timeline, verdict), (5.0, 2.3)), alt, caption, "plot")


def _traces(verdict: Verdict) -> Html:
    if not verdict.traces:
        return tag("p", f"{NOTHING[0].upper()}{NOTHING[1:]}.")
    rows = [
        (each.kind, each.reading, f"{each.spacing_hz:.5g}", f"{each.z:.1f}", f"{each.p_value:.1g}", _span(each))
        for each in verdict.traces
    ]
    return table(("kind", "reading", "every Hz", "z", "p", "seconds"), rows)


def _span(trace: Trace) -> str:
    return f"{trace.start:.1f} to {trace.end:.1f}"
