"""Commands that take clips: identify, trace, verify, screen, enroll."""

from collections import Counter
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Literal

from typer import Argument, Exit, Option

from earwitness.cli.corpus import spoken
from earwitness.cli.options import (
    Clips,
    DeviceOption,
    Json,
    OptionalManifest,
    RegistryFolder,
    Settings,
    TaskOption,
    VoicePatterns,
)
from earwitness.cli.printing import (
    claim,
    print_json,
    print_table,
    print_traced,
    print_verdict,
    progress,
    say,
    tell_failures,
    worded,
)
from earwitness.errors import OptionError

if TYPE_CHECKING:
    from earwitness.listening import Excerpt
    from earwitness.speaking.making import Take
    from earwitness.types import Card

__all__ = ["enroll", "identify", "screen", "trace", "verify"]


def identify(
    clips: Clips,
    task: TaskOption = "all",
    registry: RegistryFolder = None,
    json: Json = False,
    segments: Annotated[bool, Option("--segments", help="Answer for each window too.")] = False,
    top: Annotated[int, Option("--top", min=0, help="Length of the ranking; 0 = all.")] = 5,
    plot: Annotated[Path | None, Option("--plot", help="Draw the verdicts as a PNG.", show_default=False)] = None,
    report: Annotated[
        Path | None, Option("--report", help="Write a forensic report as one HTML file.", show_default=False)
    ] = None,
    device: DeviceOption = "cpu",
) -> None:
    """Say what made each clip: an enrolled source, or unknown."""
    from earwitness.audio import find_clips
    from earwitness.engine import open_engine

    if plot or report:
        _check_drawing()
    with open_engine(registry, device) as engine:
        paths = find_clips(clips)
        verdicts = list(engine.identify_many(paths, task, top, segments or bool(plot or report)))
        engine.log(verdicts)
        if report:
            from earwitness.reporting.verdicts import write_verdicts

            write_verdicts(report, engine, paths, verdicts)
            say(f"report {report}")
    if json:
        print_json([verdict.to_dict() for verdict in verdicts])
    else:
        for verdict in verdicts:
            print_verdict(verdict)
    if plot:
        from earwitness.plotting import plot_verdicts

        plot_verdicts(verdicts, plot)
    errors = [verdict for verdict in verdicts if verdict.verdict == "error"]
    tell_failures(len(errors), len(verdicts), errors[0].error if errors else None)


def _check_drawing() -> None:
    """MissingExtraError before the work where pictures can't be drawn."""
    from earwitness.plotting import load_pyplot

    load_pyplot()


def trace(
    clips: Clips,
    json: Json = False,
    plot: Annotated[Path | None, Option("--plot", help="Draw the traces as a PNG.", show_default=False)] = None,
) -> None:
    """Say what each clip itself shows of its making: a vocoder's upsampling lattice, a codec's frames.

    Nothing needs to be enrolled. To find no trace proves nothing: genuine speech, classic engines,
    diffusion vocoders and many others leave none, and noise or a short clip hides one.
    """
    from earwitness.audio import find_clips
    from earwitness.plugins import load_catalogue
    from earwitness.tracing import all_tracers, trace_clips

    catalogue = load_catalogue()
    found = list(trace_clips(find_clips(clips), all_tracers(catalogue), catalogue.read_clip))
    if json:
        print_json([clip.to_dict() for clip in found])
    else:
        for clip in found:
            print_traced(clip)
    if plot:
        from earwitness.plotting import plot_traces

        plot_traces(found, plot)
    errors = [clip for clip in found if clip.error]
    tell_failures(len(errors), len(found), errors[0].error if errors else None)


def verify(
    clip_a: Annotated[str, Argument(help="A clip.")],
    clip_b: Annotated[str, Argument(help="Another.")],
    task: Annotated[Literal["system", "device"], Option("--task", help="Which kind of source.")] = "system",
    registry: RegistryFolder = None,
    json: Json = False,
) -> None:
    """Say whether two clips have the same source, enrolled or not."""
    from earwitness.engine import open_engine

    with open_engine(registry) as engine:
        answer = engine.verify(clip_a, clip_b, task)
    if json:
        print_json(asdict(answer))
        return
    print(f"{answer.clip_a}\n{answer.clip_b}\n  cosine {answer.similarity:.3f}")
    if answer.log10_lr is not None:
        print(f"  likelihood ratio same : different = 10^{answer.log10_lr:.1f} ({worded(answer.support)})")
    for warning in answer.warnings:
        print(f"  note      {warning}")


def screen(
    paths: Clips,
    out: Annotated[Path, Option("--out", help="Where verdicts go: .jsonl, .csv or .parquet.", show_default=False)],
    task: TaskOption = "all",
    registry: RegistryFolder = None,
    workers: Annotated[
        int | None, Option("--workers", min=1, help="Processes; default one a core.", show_default=False)
    ] = None,
    engine: Annotated[Literal["local", "ray"], Option("--engine", help="This machine, or a Ray cluster.")] = "local",
    watch: Annotated[bool, Option("--watch", help="Go on as new files appear, until interrupted.")] = False,
    resume: Annotated[bool, Option("--resume", help="Go on with an interrupted run.")] = False,
    only_unknown: Annotated[bool, Option("--only-unknown", help="Write only clips of unknown sources.")] = False,
    device: DeviceOption = "cpu",
    strict: Annotated[bool, Option("--strict", help="Exit 3 when any clip failed.")] = False,
) -> None:
    """Judge many clips, in parallel, one row each; a bad clip is one row."""
    from earwitness.screening import screen as run

    tally = run(
        paths,
        out,
        task=task,
        registry=registry,
        workers=workers,
        engine=engine,
        watch=watch,
        resume=resume,
        only_unknown=only_unknown,
        device=device,
    )
    say(str(tally))
    if strict and tally.errors:
        raise Exit(3)


def enroll(
    source: Annotated[str | None, Argument(help="Source id, e.g. acme/voice-2.", show_default=False)] = None,
    clips: Annotated[list[str] | None, Argument(metavar="CLIP...", help="Reference clips.", show_default=False)] = None,
    kind: Annotated[
        Literal["system", "device", "genuine"] | None, Option("--kind", help="What the source is.", show_default=False)
    ] = None,
    manifest: OptionalManifest = None,
    split: Annotated[str | None, Option("--split", help="Only this split of the manifest.", show_default=False)] = None,
    card: Annotated[
        Path | None, Option("--card", help="YAML file of cards, the source's among them.", show_default=False)
    ] = None,
    synthesize: Annotated[
        str | None,
        Option("--synthesize", help="Have this synthesizer speak the clips: see 'corpus list'.", show_default=False),
    ] = None,
    count: Annotated[int, Option("--count", min=1, help="How many clips to have spoken.")] = 50,
    voice: VoicePatterns = None,
    settings: Settings = None,
    registry: RegistryFolder = None,
    json: Json = False,
) -> None:
    """Add reference clips of a source; no training is needed.

    With --synthesize, the voices say themselves which source they are of, unless SOURCE does.

    A new source gets the card that --card or a plugin has of it, else a plain one; a card given so replaces the old.
    """
    from earwitness.audio import find_clips
    from earwitness.engine import open_engine
    from earwitness.listening import Excerpt
    from earwitness.manifest import read_manifest
    from earwitness.references import references

    cards = _cards(card, source) if card else ()
    with TemporaryDirectory(prefix="earwitness-") as scratch:
        if synthesize and not (clips or manifest):
            takes = spoken(synthesize, count, Path(scratch), voice=voice, settings=settings, source=source)
            batches = {kind: [(take.source, _excerpt(take)) for take in takes]}
        elif manifest and not (source or synthesize):
            batches = references(read_manifest(manifest).select(split=split), kind)
        elif source and clips and not (manifest or synthesize):
            batches = {kind: [(source, Excerpt(clip)) for clip in find_clips(clips)]}
        else:
            raise OptionError("give either SOURCE and its clips, or --manifest FILE, or --synthesize NAME")
        with open_engine(folder := claim(registry)) as engine:
            steps = chain.from_iterable(engine.enroll_many(pairs, each, cards) for each, pairs in batches.items())
            outcomes = list(progress(steps, sum(map(len, batches.values())), "enrolling"))
    if json:
        print_json([asdict(outcome) for outcome in outcomes])
    else:
        counts = Counter((outcome.source, outcome.outcome) for outcome in outcomes)
        print_table(("source", "clips", "outcome"), [(name, count, what) for (name, what), count in counts.items()])
        say(f"registry {folder}")
    refused = [outcome for outcome in outcomes if outcome.outcome == "refused"]
    tell_failures(len(refused), len(outcomes), f"{refused[0].clip}: {refused[0].reason}" if refused else None)


def _excerpt(take: "Take") -> "Excerpt":
    """A spoken clip under the name of how it was made, since its file goes away."""
    from earwitness.listening import Excerpt

    return Excerpt(take.file, name=take.made, cell=take.utterance.voice.name, made=take.made)


def _cards(file: Path, source: str | None) -> "tuple[Card, ...]":
    """The cards of a file; OptionError where that of the source is not among them."""
    from earwitness.cards import read_cards

    cards = read_cards(file)
    if source and source not in (ids := [card.id for card in cards]):
        raise OptionError(f"{file} has no card of {source!r}, only of {', '.join(ids)}: add one, or enrol one of these")
    return cards
