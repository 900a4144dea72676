"""`earwitness registry`: what is known, and its keeping."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Exit, Option, Typer

from earwitness.cli.options import Json, RegistryFolder
from earwitness.cli.printing import claim, print_json, print_table, say
from earwitness.errors import OptionError

if TYPE_CHECKING:
    from earwitness.model import Model
    from earwitness_registry import Registry

__all__ = ["app"]

app = Typer(help="Make, look into, check and exchange registries.", no_args_is_help=True)

Source = Annotated[str, Argument(help="Source id.")]


def _open(folder: Path | None, write: bool = False) -> "Registry":
    from earwitness.places import registry_place
    from earwitness_registry import Registry

    return Registry.open(claim(folder) if write else registry_place(folder).folder, read_only=not write)


@app.command()
def init(
    registry: RegistryFolder = None,
    model: Annotated[
        list[Path] | None,
        Option(
            "--model",
            help="Model folder, or one of experts; may be repeated; default the starter's.",
            show_default=False,
        ),
    ] = None,
    name: Annotated[str | None, Option("--name", help="Default: the folder's name.", show_default=False)] = None,
    index: Annotated[
        str, Option("--index", help="FAISS factory string: Flat, IVF256,Flat, HNSW32, PQ32np ...")
    ] = "Flat",
) -> None:
    """Make an empty registry around one or more models."""
    from earwitness.places import new_registry_folder, starter_models
    from earwitness_registry import Registry
    from earwitness_registry.index import check_factory

    folder = new_registry_folder(registry)
    models = _loaded(model or starter_models())
    for loaded in models.values():
        check_factory(index, loaded.probe().size)
    with Registry.create(folder, name or folder.resolve().name, index) as made:
        for source, loaded in models.items():
            loaded.add_to(made, source)
    say(f"registry {folder}: enrol sources with 'earwitness enroll --registry {folder}'")


@app.command("add-model")
def add_model(
    model: Annotated[list[Path], Argument(metavar="MODEL...", help="Model folders, or folders of experts.")],
    registry: RegistryFolder = None,
) -> None:
    """Add models to a registry, such as for another task, while no source of theirs is enrolled."""
    models = _loaded(model)
    with _open(registry, write=True) as opened:
        for source, loaded in models.items():
            loaded.add_to(opened, source)
    say(f"added {', '.join(each.pipeline.name for each in models.values())} to {opened.folder}")


def _loaded(given: "Sequence[Path]") -> "dict[Path, Model]":
    """Models, or the experts of folders, by their folders; OptionError where two are one."""
    from earwitness.model import Model, model_folders
    from earwitness.plugins import load_catalogue

    folders = [each for folder in given for each in model_folders(folder)]
    models = [Model.load(each, load_catalogue()) for each in folders]
    _refuse_twins(models)
    return dict(zip(folders, models, strict=True))


def _refuse_twins(models: "Sequence[Model]") -> None:
    """Raise OptionError unless each model has a name and a space of its own."""
    for values in zip(*((model.pipeline.name, model.space) for model in models), strict=True):
        if twins := [value for value, count in Counter(values).items() if count > 1]:
            raise OptionError(
                f"{twins[0]!r} is of two models, and each in a registry has a name and a space of its own: leave one "
                "out, or make two registries"
            )


@app.command("list")
def list_sources(registry: RegistryFolder = None, json: Json = False) -> None:
    """List the enrolled sources."""
    with _open(registry) as opened:
        counts = opened.counts()
        rows = [{**card.to_dict(), "clips": counts.get(card.id, 0)} for card in opened.cards()]
    if json:
        print_json(rows)
    else:
        columns = ("id", "kind", "family", "vendor", "clips")
        print_table(columns, [[row.get(column) for column in columns] for row in rows])


@app.command()
def show(source: Source, registry: RegistryFolder = None, json: Json = False) -> None:
    """Show a source's card and its clips."""
    with _open(registry) as opened:
        card, clips = opened.card(source), opened.clips(source)
    if json:
        print_json({**card.to_dict(), "clips": [asdict(clip) for clip in clips]})
        return
    print_table(("card", ""), list(card.to_dict().items()))
    print_table(("clip", "seconds", "enrolled"), [(clip.path, f"{clip.duration:.2f}", clip.added) for clip in clips])


@app.command()
def remove(
    source: Source,
    clip: Annotated[str | None, Option("--clip", help="Only the clip with this SHA-256.", show_default=False)] = None,
    registry: RegistryFolder = None,
) -> None:
    """Remove a source, or one of its clips."""
    with _open(registry, write=True) as opened:
        rows = opened.remove(source, clip)
    say(f"removed {rows} embeddings of {source}")


@app.command()
def verify(registry: RegistryFolder = None, json: Json = False) -> None:
    """Check a registry against its digests; exit 2 when something is wrong."""
    with _open(registry) as opened:
        faults = opened.verify()
    if json:
        print_json({"sound": not faults, "faults": faults})
    for fault in faults:
        say(fault)
    if faults:
        raise Exit(2)
    if not json:
        print("sound")


@app.command()
def stats(registry: RegistryFolder = None, json: Json = False) -> None:
    """Count what a registry holds."""
    with _open(registry) as opened:
        figures = opened.stats()
    if json:
        print_json(figures)
    else:
        print_table(("registry", ""), list(figures.items()))


@app.command("export")
def export_sources(
    file: Annotated[Path, Argument(help="File to write.")],
    source: Annotated[
        list[str] | None, Option("--source", help="Only this source; may be repeated.", show_default=False)
    ] = None,
    registry: RegistryFolder = None,
) -> None:
    """Write sources with their embeddings into one file, sealed by digests.

    Whoever gets it can compare the SHA-256 that is shown here with the one that 'registry import' shows.
    """
    from earwitness_registry.files import file_sha256

    with _open(registry) as opened:
        opened.export(source, file)
    say(f"wrote {file}, SHA-256 {file_sha256(file)}")


@app.command("import")
def import_sources(file: Annotated[Path, Argument(help="An exported file.")], registry: RegistryFolder = None) -> None:
    """Take up sources that somebody exported from a registry with the same model."""
    from earwitness_registry.files import file_sha256

    with _open(registry, write=True) as opened:
        clips = opened.import_bundle(file)
    say(f"took up {clips} clips from {file}, SHA-256 {file_sha256(file)}")


@app.command()
def history(
    registry: RegistryFolder = None,
    limit: Annotated[int, Option("--limit", min=1, help="How many entries, newest first.")] = 20,
    json: Json = False,
) -> None:
    """Show what was done to a registry."""
    with _open(registry) as opened:
        entries = opened.history(limit)
    if json:
        print_json(entries)
    else:
        print_table(("when", "what", "detail"), [(e["at"], e["what"], e["detail"]) for e in entries])
