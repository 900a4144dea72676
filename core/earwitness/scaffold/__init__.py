"""New plugins and cards: whole, working ones to start from."""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.util import find_spec
from keyword import iskeyword
from pathlib import Path
from string import Template
from typing import Literal, TypeGuard

from earwitness.errors import OptionError, PluginClashError
from earwitness.plugins import Catalogue
from earwitness.scaffold.form import card_form
from earwitness.types import Card

__all__ = ["NewKind", "write_card", "write_plugin"]

NewKind = Literal["system", "device", "frontend", "embedder", "scorer", "degradation", "synthesizer"]
"""What a new plugin may bring."""

NAME = re.compile(r"(?=.{1,30}$)[a-z](-?[a-z0-9])*")

TRAIN = "earwitness train {name} --manifest clips.csv --out model"
ENROLL = "earwitness enroll {name} CLIP... --registry mine"


@dataclass(frozen=True, slots=True)
class Blueprint:
    """A kind of plugin: what it is `about`, what it `offers` under its own name, and a command to `use` it."""

    about: str
    offers: tuple[str, ...]
    use: str


BLUEPRINTS: Mapping[NewKind, Blueprint] = {
    "system": Blueprint("Cards of synthesis systems", ("source",), ENROLL),
    "device": Blueprint("Cards of recording devices", ("source",), ENROLL),
    "frontend": Blueprint("A frontend", ("frontend", "pipeline"), TRAIN),
    "embedder": Blueprint("An embedder", ("embedder", "pipeline"), TRAIN),
    "scorer": Blueprint("A scorer", ("scorer", "pipeline"), TRAIN),
    "degradation": Blueprint(
        "A degradation",
        ("degradation",),
        "earwitness train lfcc-stats --set 'training.versions=[[],[{name}]]' --manifest clips.csv --out model",
    ),
    "synthesizer": Blueprint(
        "A driver of a speech synthesizer",
        ("synthesizer",),
        "earwitness corpus make --system {name} --count 200 --out clips",
    ),
}


def has_card(kind: NewKind) -> TypeGuard[Literal["system", "device"]]:
    """Whether what a plugin of a kind brings is a card."""
    return kind in ("system", "device")


def write_card(source: str, kind: NewKind, out: Path) -> Path:
    """Write the form of a card into a folder; its file, named after the source.

    Raises:
        OptionError: The kind is none that has cards, or the file can't be written or exists.
        RegistryError: The id can't be a source's.
    """
    if not has_card(kind):
        raise OptionError(f"--kind {kind} brings no card: leave --card-only out, or choose --kind system or device")
    file = out / (re.sub(r"[^\w.-]+", "-", Card(source).id) + ".yaml")
    _write({file: card_form(source, kind)}, file)
    return file


def write_plugin(name: str, kind: NewKind, out: Path, catalogue: Catalogue) -> Path:
    """Write an installable plugin into a folder of its own below `out`; that folder.

    Raises:
        OptionError: The name can't be a package's or is taken, or the folder exists or can't be written.
        PluginClashError: An installed plugin offers that name.
    """
    blueprint, module, folder = BLUEPRINTS[kind], _module(name), out / name
    if taken := [offer for offer in blueprint.offers if name in catalogue.names(offer)]:
        raise PluginClashError(f"there is a {taken[0]} {name!r} already: choose another name")
    values = {
        "name": name,
        "module": module,
        "Name": "".join(part.capitalize() for part in name.split("-")),
        "about": f"{blueprint.about} for Earwitness.",
        "use": blueprint.use.format(name=name),
        "file": f"{module}/{'cards.yaml' if has_card(kind) else '__init__.py'}",
    }
    templates = {
        "pyproject.toml": "pyproject.toml",
        "README.md": "README.md",
        f"{module}/__init__.py": f"{kind}.py",
        f"tests/test_{module}.py": "test.py",
    }
    texts = {folder / file: _filled(template, values) for file, template in templates.items()}
    _write(texts | ({folder / values["file"]: card_form(name, kind)} if has_card(kind) else {}), folder)
    return folder


def _module(name: str) -> str:
    """The module of a plugin; OptionError where the name can't be a package's, or the module is another's."""
    if not NAME.fullmatch(name):
        raise OptionError(
            f"{name!r} can't name a plugin: use at most 30 lower-case letters, digits and single hyphens, "
            "beginning with a letter, as in acme-voice"
        )
    module = name.replace("-", "_")
    if iskeyword(module) or module in sys.stdlib_module_names or find_spec(module):
        raise OptionError(f"a module {module!r} exists already: choose another name, such as {name}-plugin")
    return module


def _filled(template: str, values: Mapping[str, str]) -> str:
    """A template with its values."""
    text = (files("earwitness.scaffold") / "templates" / f"{template}.txt").read_text("utf-8")
    return Template(text).substitute(values)


def _write(texts: Mapping[Path, str], whole: Path) -> None:
    """Write files, none over one that exists; `whole` is the file or folder that they make."""
    if whole.exists():
        raise OptionError(f"{whole} exists already: choose another name, another --out, or move it away")
    try:
        for file, text in texts.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8")
    except OSError as error:
        raise OptionError(f"can't write {whole} ({error.strerror}): choose another --out") from error
