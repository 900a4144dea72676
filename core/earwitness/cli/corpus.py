"""`earwitness corpus`: reference clips from installed synthesizers, and manifests of known corpora."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option, Typer

from earwitness.cli.options import Json, Settings, VoicePatterns
from earwitness.cli.printing import print_json, print_table, progress, say, tell_failures
from earwitness.errors import OptionError, SynthesisError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from earwitness.contracts import CorpusReader, Synthesizer, Voice
    from earwitness.speaking.making import Take

__all__ = ["app", "spoken"]

app = Typer(help="Make reference clips with installed synthesizers, or read a known corpus.", no_args_is_help=True)


@app.callback()
def corpus() -> None:
    """Make reference clips with installed synthesizers, or read a known corpus."""


@app.command()
def make(
    system: Annotated[str, Option("--system", help="A synthesizer's name: see 'corpus list'.", show_default=False)],
    out: Annotated[Path, Option("--out", help="Folder for the clips and manifest.csv.", show_default=False)],
    count: Annotated[int, Option("--count", min=1, help="How many clips.")] = 200,
    seed: Annotated[int, Option("--seed", min=0, help="Same seed, same sentences, voices, rates and pitches.")] = 0,
    voice: VoicePatterns = None,
    settings: Settings = None,
    source: Annotated[
        str | None, Option("--source", help="Source id of all clips; default the voices' own.", show_default=False)
    ] = None,
    json: Json = False,
) -> None:
    """Have a synthesizer speak the built-in sentences: FLAC files and their manifest, with splits disjoint in text."""
    from earwitness.corpora import write_manifest

    manifest = out / "manifest.csv"
    if manifest.exists():
        raise OptionError(f"{manifest} is there already: choose another folder, or remove that corpus")
    takes = spoken(system, count, out, seed=seed, voice=voice, settings=settings, source=source)
    write_manifest(manifest, [take.row for take in takes])
    if json:
        print_json({"manifest": str(manifest), "clips": len(takes), "sources": _summary(takes)})
        return
    rows = [(name, *figures.values()) for name, figures in _summary(takes).items()]
    print_table(("source", "voices", "train", "dev", "test"), rows)
    say(f"manifest {manifest}: train with it, or enrol by 'earwitness enroll --manifest {manifest} --split train'")


def _summary(takes: "Sequence[Take]") -> dict[str, dict[str, int]]:
    """Voices and clips of each split, by source."""
    found: dict[str, dict[str, int]] = {}
    for source in sorted({take.source for take in takes}):
        own = [take for take in takes if take.source == source]
        splits = Counter(take.sentence.split for take in own)
        voices = len({take.utterance.voice.name for take in own})
        found[source] = {"voices": voices, "train": splits["train"], "dev": splits["dev"], "test": splits["test"]}
    return found


def spoken(
    system: str,
    count: int,
    folder: Path,
    *,
    seed: int = 0,
    voice: "Sequence[str] | None" = None,
    settings: "Sequence[str] | None" = None,
    source: str | None = None,
) -> "list[Take]":
    """Have clips spoken into a folder under a progress bar, and tell which failed; exit 2 where all did."""
    from earwitness.speaking.making import plan_takes, speak_takes

    synthesizer: Synthesizer = _built("synthesizer", system, settings)
    takes = plan_takes(synthesizer, count, folder, seed=seed, voices=voice or ("*",), source=source)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OptionError(f"{folder} can't be made ({error.strerror}): choose another folder") from error
    outcomes = list(progress(speak_takes(synthesizer, takes), len(takes), "speaking"))
    failures = [reason for _, reason in outcomes if reason]
    tell_failures(len(failures), len(takes), failures[0] if failures else None)
    return [take for take, reason in outcomes if not reason]


@app.command()
def read(
    name: Annotated[str, Argument(help="A corpus's name, e.g. librispeech: see 'corpus list'.", show_default=False)],
    folder: Annotated[Path, Argument(help="Where the corpus lies, or the one list of it.", show_default=False)],
    out: Annotated[Path, Option("--out", help="Manifest to write, .csv.", show_default=False)],
    settings: Annotated[
        list[str] | None,
        Option("--set", metavar="KEY=VALUE", help="Change a parameter, e.g. task=device.", show_default=False),
    ] = None,
    json: Json = False,
) -> None:
    """Write the manifest of a known corpus: which clips there are, and what made each."""
    from earwitness.corpora import gather, write_manifest

    root = folder.resolve()
    reader: CorpusReader = _built("corpus", name, settings)
    found = gather(progress(reader(root), None, f"reading {name}"), root)
    write_manifest(out, found.rows)
    counts = Counter((row.get("split", ""), row.get("source", "")) for row in found.rows)
    if json:
        rows = [{"split": split, "source": source, "clips": clips} for (split, source), clips in sorted(counts.items())]
        print_json({"manifest": str(out), "clips": len(found.rows), "missing": found.missing, "counts": rows})
        return
    print_table(("split", "source", "clips"), [(*group, clips) for group, clips in sorted(counts.items())])
    if found.missing:
        total = len(found.missing) + len(found.rows)
        say(f"{len(found.missing)} of {total} listed clips are missing and left out, first {found.missing[0]}")
    say(f"manifest {out}: {len(found.rows)} clips")


@app.command("list")
def list_corpora(json: Json = False) -> None:
    """List synthesizers with their version here, or what brings them, and the corpora that can be read."""
    from earwitness.plugins import load_catalogue

    catalogue = load_catalogue()
    found = [_presence(catalogue.get("synthesizer", name)()) for name in catalogue.names("synthesizer")]
    readers = catalogue.names("corpus")
    if json:
        print_json({"synthesizers": found, "corpora": readers})
        return
    rows = [
        (
            each["name"],
            each["version"] or "missing",
            each["voices"],
            _some(each["languages"]),
            each["problem"] or (None if each["version"] else each["brings"]),
        )
        for each in found
    ]
    print_table(("synthesizer", "version", "voices", "languages", "to mend"), rows)
    print(f"\ncorpora for 'corpus read': {', '.join(readers) or 'none'}")


def _presence(synthesizer: "Synthesizer") -> dict[str, Any]:
    """What there is of a synthesizer, and what brings it or is wrong with it."""
    version: str | None = None
    voices: Sequence[Voice] = ()
    problem: str | None = None
    try:
        version = synthesizer.version()
        voices = synthesizer.voices() if version else ()
    except SynthesisError as error:
        problem = str(error)
    return {
        "name": synthesizer.name,
        "version": version,
        "brings": synthesizer.brings,
        "voices": len(voices),
        "languages": sorted({voice.language for voice in voices}),
        "problem": problem,
    }


def _some(languages: "Sequence[str]") -> str:
    """The languages, or how many where there are many."""
    return " ".join(languages) if len(languages) <= 10 else str(len(languages))


def _built(kind: str, name: str, settings: "Sequence[str] | None") -> Any:
    """A plugin's part with its parameters as `--set` gives them."""
    from earwitness.loading import override
    from earwitness.parts import build
    from earwitness.plugins import load_catalogue

    parameters: dict[str, Any] = {}
    for setting in settings or ():
        parameters = override(parameters, setting)
    return build(kind, {name: parameters}, load_catalogue())
