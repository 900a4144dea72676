"""Where a result comes from: all that somebody else needs to get it again, and to see that nothing was changed."""

import hashlib
import json
import platform
import shlex
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from earwitness import __version__
from earwitness.calibration import Calibration
from earwitness.deciding import Judge
from earwitness.engine import Engine
from earwitness.installed import installed_version
from earwitness.reporting.html import Html, counted, facts, folded, joined, section, table, tag
from earwitness_registry.files import file_sha256, sha256
from earwitness_registry.models import StoredModel

__all__ = ["code", "file_digest", "provenance"]

LIBRARIES = ("numpy", "onnxruntime", "faiss-cpu", "soundfile", "soxr", "av")
"""What takes part in an answer."""


def provenance(engine: Engine, judges: tuple[Judge, ...], more: Mapping[str, object]) -> Html:
    """Command, versions, digests, configuration, reference population and calibration; `more` is the caller's own."""
    registry, libraries = engine.registry, {name: installed_version(name) for name in LIBRARIES}
    run = [
        ("Command", code(shlex.join(sys.argv))),
        ("In the folder", code(Path.cwd())),
        ("Date", datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")),
        *more.items(),
        ("Earwitness", f"{__version__}, Python {platform.python_version()} on {platform.platform()}"),
        ("Libraries", ", ".join(f"{name} {found}" for name, found in libraries.items() if found)),
        ("Registry", joined([f"{registry.name}, version {registry.version}, ", code(registry.folder)])),
    ]
    return section(
        "Where this comes from",
        facts(run),
        tag("h3", "Models"),
        table(("model", "file", "SHA-256"), [(n, f, code(d)) for n, f, d in _model_files(engine)], "under"),
        *(_task(engine, judge) for judge in judges),
        tag("h3", "Code"),
        table(("part", "version", "SHA-256"), [(n, v, code(d)) for n, v, d in _code(engine)], "under"),
        *(_recipe(each) for each in registry.models()),
    )


def code(text: object) -> Html:
    """Something to be copied letter by letter."""
    return tag("code", text)


def file_digest(file: Path) -> Html:
    """The SHA-256 of a file's bytes."""
    return code(file_sha256(file))


def _model_files(engine: Engine) -> Iterator[tuple[str, str, str]]:
    """Model, file and digest of all that the models have learned."""
    for model in engine.registry.models():
        for file in sorted(path for path in model.folder.rglob("*") if path.is_file()):
            yield model.name, file.relative_to(model.folder).as_posix(), file_sha256(file)


def _code(engine: Engine) -> Iterator[tuple[str, str, str]]:
    """Name, version and digest of the engine's own code and of each plugin's."""
    for name in ("earwitness", "earwitness_registry"):
        yield name, __version__, _module_digest(name)
    for plugin in engine.catalogue.plugins:
        module = engine.catalogue.manager.get_plugin(f"{plugin.distribution} {plugin.name}")
        if module is not None:
            yield f"plugin {plugin.name}", f"{plugin.distribution} {plugin.version}", _module_digest(module.__name__)


def _module_digest(name: str) -> str:
    """One digest of a module's source, or of all files of a package but the compiled ones."""
    file = Path(str(sys.modules[name].__file__))
    folder = file.parent
    files = sorted(folder.rglob("*")) if file.name == "__init__.py" else [file]
    kept = [each for each in files if each.is_file() and each.suffix not in (".pyc", ".sqlite", ".onnx")]
    return sha256(json.dumps({each.relative_to(folder).as_posix(): file_sha256(each) for each in kept}).encode())


def _recipe(model: StoredModel) -> Html:
    """A model's configuration, and its card, which tells the data and the seed it was trained with."""
    card = model.folder / "card.md"
    told = [tag("pre", card.read_text(encoding="utf-8"))] if card.is_file() else []
    return folded(f"Configuration of {model.name}", tag("pre", model.pipeline), *told)


def _task(engine: Engine, judge: Judge) -> Html:
    """Who could have been named, and on what the figures rest."""
    counts = engine.registry.counts()
    population = [(source, counts.get(source, 0)) for source in judge.sources]
    enrolled = f"{counted(len(population), 'source')}, {counted(sum(count for _, count in population), 'clip')}"
    return joined(
        [
            tag("h3", f"Reference population of task {judge.task}"),
            facts([("Enrolled", enrolled), ("SHA-256 of enrolled rows", code(_rows_digest(judge)))]),
            folded("Sources and their clips", table(("source", "clips"), population)),
            tag("h3", f"Calibration of task {judge.task}"),
            _calibration(judge.calibration) if judge.calibration else tag("p", "None: no threshold has been set."),
        ]
    )


def _rows_digest(judge: Judge) -> str:
    """One digest of the ids, labels and embeddings enrolled in each space."""
    digest = hashlib.sha256()
    for gallery in {expert.model.space: expert.gallery for expert in judge.experts}.values():
        digest.update(json.dumps(gallery.sources).encode())
        digest.update(gallery.labels.tobytes())
        digest.update(gallery.embeddings.tobytes())
    return digest.hexdigest()


def _calibration(calibration: Calibration) -> Html:
    """The development clips behind threshold and likelihood ratios."""
    ratio, strangers = calibration.ratio, ", ".join(calibration.stranger_sources)
    bounds = f"{ratio.lowest:.2f} to {ratio.highest:.2f}, all that so many clips can bear"
    return facts(
        [
            ("Clips of known sources", len(calibration.known)),
            ("Clips of strangers", f"{calibration.strangers}{f': {strangers}' if strangers else ''}"),
            ("In place of strangers", "families enrolled, left out in turn" if calibration.pseudo_strangers else None),
            ("False acceptance asked for", f"{calibration.far:.1%}"),
            ("Threshold on knownness", f"{calibration.threshold:.4g}"),
            ("Sources with a threshold of their own", ", ".join(calibration.thresholds)),
            ("Bounds of log10 LR", bounds),
            ("SHA-256", code(sha256(json.dumps(calibration.to_dict(), sort_keys=True).encode()))),
        ]
    )
