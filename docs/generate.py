"""Write what is generated here from the code; with --check, only say whether it is up to date."""

import inspect
import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from typer.main import get_command
from typer.testing import CliRunner

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))

from papers_page import papers_page
from papers_read import read_measured, read_papers
from tables import markdown

from earwitness import contracts, hookspecs, testing, types
from earwitness.cli import app
from earwitness.loading import load_experts
from earwitness.plugins import OURS, Catalogue, load_catalogue
from earwitness.scaffold import NewKind, write_plugin
from earwitness_registry.cards import CardField, card_fields

DOCS = Path(__file__).parent
PLAIN = {"TERMINAL_WIDTH": "100", "COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}
COLOURS = ("FORCE_COLOR", "PY_COLORS", "GITHUB_ACTIONS")
NOTE = "<!-- Written by docs/generate.py: change the code, then run it again. -->"


HOOKS = """A plugin is a module that an entry point of the group `earwitness` names, as in

```toml title="pyproject.toml"
[project.entry-points.earwitness]
acme = "acme"
```

Its functions marked `@hookimpl` are the hooks that it has; it needs no others. Each example below is a whole plugin.
What hooks give are classes, whose fields are their parameters: no part is made before a pipeline or a command asks for
it. `FloatArray` is an array of float32, `IntArray` of int64, `State` a mapping of names to arrays. In shapes, B are
windows, n samples, K sources, N enrolled rows and d dimensions."""

SCAFFOLDED: dict[str, NewKind] = {
    "register_frontends": "frontend",
    "register_embedders": "embedder",
    "register_scorers": "scorer",
    "register_synthesizers": "synthesizer",
    "register_degradations": "degradation",
}
"""Hooks whose example is what `earwitness plugins new` writes."""

SHOWN = {
    name: getattr(module, name)
    for module, names in ((contracts, contracts.__all__), (types, ("Clip", "Origin", "Scores", "Trace")))
    for name in names
}
"""What hooks give and take, and is shown where it is named first."""

TITLES = {
    "frontend": "Frontends",
    "embedder": "Embedders",
    "scorer": "Scorers",
    "tracer": "Tracers",
    "degradation": "Degradations",
    "synthesizer": "Synthesizers",
    "corpus": "Corpus readers",
}
"""Kinds of parts that have parameters."""

PRINTED = {"frames": 650, "hidden": (2496, 1024, 1024)}
"""What the published sizes of `pstnn` follow from."""

SIZES: tuple[tuple[str, dict[str, Any], int, int, int | None], ...] = (
    ("crossscale", {}, 73, 45, 626_000),
    ("gsv_cnn", {}, 64 * 39, 45, 348_000),
    ("multifeature_fusion", {}, 39, 45, 2_361_000),
    ("rdtcn", {}, 39, 45, 40_560_000),
    ("pstnn", {}, 39, 45, 114_765_000),
    ("pstnn", PRINTED, 39, 45, 114_765_000),
    ("pstnn", {"components": 128, **PRINTED}, 39, 45, 120_995_000),
    ("pstnn", {"components": 256, **PRINTED}, 39, 45, 133_455_000),
    ("resnet18", {"width": 64}, 60, 0, None),
    ("se_resnet", {"width": 64}, 60, 0, None),
    ("lcnn", {}, 60, 0, None),
    ("xvector", {}, 60, 0, None),
    ("rawnet2", {}, 1, 0, None),
    ("ecapa", {}, 80, 0, None),
    ("noise_mlp", {}, 2049, 0, None),
    ("noise_cnn", {}, 2049, 0, None),
)
"""Networks with settings, the features of a frame, the classes of the head, and the parameters that were printed."""

ABOUT_SIZES = """Parameters of each published network as it is here, with a head for the classes of its paper, beside
what the paper prints; where it prints none, without a head. What was read into the papers is in each network's
docstring. `pstnn` by default is the network that its text describes; the printed sizes follow from 650 frames, not the
64 of the text, and a first layer as wide as the supervector."""


def hooks() -> str:
    """Every hook with what it asks, its signature, what that names, and a plugin that has it."""
    parts = ["# Hooks", NOTE, inspect.getdoc(hookspecs) or "", HOOKS]
    seen = {"Part"}
    for name, hook in vars(hookspecs).items():
        if hasattr(hook, "earwitness_spec"):
            options = " (the first answer counts)" if hook.earwitness_spec["firstresult"] else ""
            signature = str(inspect.signature(hook)).replace("'", "")
            signature = signature.replace("collections.abc.", "").replace("pathlib.", "").replace("typing.", "")
            parts += [f"## `{name}`{options}", f"```python\ndef {name}{signature}\n```", inspect.getdoc(hook) or ""]
            parts += [f"```python\n{source}\n```" for source in named(signature, seen)]
            parts += example(name)
    return "\n\n".join(parts) + "\n"


def named(text: str, seen: set[str]) -> Iterator[str]:
    """The sources of what a text names, and of what they name, as far as they have not been shown."""
    for name, shown in SHOWN.items():
        if name in re.findall(r"\w+", text) and name not in seen:
            seen.add(name)
            source = inspect.getsource(shown).removeprefix("@runtime_checkable\n").strip()
            yield source
            yield from named(source, seen)


def example(hook: str) -> list[str]:
    """A whole plugin with a hook: what `plugins new` writes, or a file of examples/hooks."""
    if kind := SCAFFOLDED.get(hook):
        with TemporaryDirectory() as folder:
            file = write_plugin("acme", kind, Path(folder), Catalogue(())) / "acme" / "__init__.py"
            code, whence = file.read_text("utf-8"), f"`earwitness plugins new acme --kind {kind}` writes"
    else:
        code = (DOCS.parent / "examples" / "hooks" / f"{hook}.py").read_text("utf-8")
        whence = f"`examples/hooks/{hook}.py`"
    return [f"A whole plugin, {whence}:", f'```python title="acme/__init__.py"\n{code.strip()}\n```']


def parts() -> str:
    """Tables of the parts that are built in, by kind, and of the pipelines."""
    catalogue = load_catalogue()
    own = [plugin for plugin in catalogue.plugins if plugin.distribution == OURS]
    told = [
        "# What is built in",
        NOTE,
        "By the names that pipelines, `corpus make` and `corpus read` use, with parameters.",
    ]
    for kind, title in TITLES.items():
        found = [catalogue.get(kind, name) for name in sorted(n for plugin in own for n in plugin.offers.get(kind, ()))]
        told += [f"## {title}", markdown(("name", "parameters", "what it is"), map(part_row, found))]
    found = sorted(name for plugin in own for name in plugin.offers.get("pipeline", ()))
    rows = [
        (f"`{name}`", expert.task, *(f"`{part.name}`" for part in (expert.frontend, expert.embedder, expert.scorer)))
        for name in found
        for expert in load_experts(name, catalogue)
    ]
    told += ["## Pipelines", markdown(("name", "task", "frontend", "embedder", "scorer"), rows)]
    return "\n\n".join(told) + "\n"


def part_row(part: Any) -> tuple[str, str, str]:
    """A part's name, parameters with defaults, and the first line of what it says of itself."""
    first = (inspect.getdoc(part) or "").partition("\n")[0]
    first = re.sub(r"(`.*?`)|([*<|])", lambda found: found[1] or f"\\{found[2]}", first)
    brings = f" Brought by {part.brings}." if hasattr(part, "brings") else ""
    return f"`{part.name}`", ", ".join(f"`{default(field)}`" for field in fields(part)), first + brings


def default(field: Field[Any]) -> str:
    """A parameter with its default, but for one that every machine has its own of."""
    value = field.default if field.default is not MISSING else field.default_factory()  # type: ignore[misc]
    return field.name if value == sys.executable else f"{field.name}={value!r}".replace("|", "\\|")


def paths(command: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The commands below a command, itself first."""
    yield path
    for name, child in getattr(command, "commands", {}).items():
        yield from paths(child, (*path, name))


def commands() -> str:
    """The help of every command, a hundred columns wide and without colours wherever it is asked for."""
    os.environ |= PLAIN
    for variable in COLOURS:
        os.environ.pop(variable, None)
    parts = ["# Commands", NOTE]
    for path in paths(get_command(app)):
        answer = CliRunner().invoke(app, [*path, "--help"], prog_name="earwitness", catch_exceptions=False)
        text = "\n".join(line.rstrip() for line in answer.output.strip().splitlines())
        parts += [f"## `{' '.join(('earwitness', *path))}`", f"```text\n{text}\n```"]
    return "\n\n".join(parts) + "\n"


def card_schema() -> str:
    """The JSON Schema of a file of cards, for editors; a field without a value stays empty."""
    own = {name: field_schema(field) for name, field in card_fields().items() if name != "id"}
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Earwitness cards",
        "description": "Sources by id, each with what is known of it besides how it sounds.",
        "type": "object",
        "propertyNames": {"not": {"const": "unknown"}, "pattern": r"^\S([^\u0000-\u001f]*\S)?$"},
        "additionalProperties": {"type": ["object", "null"], "properties": own, "additionalProperties": False},
    }
    return json.dumps(schema, indent=2) + "\n"


def field_schema(field: CardField) -> dict[str, Any]:
    """What a field may hold."""
    if field.words:
        return {"description": field.about, "enum": [*field.words, None]}
    one: dict[str, Any] = {"type": "integer", "minimum": 1} if field.whole else {"type": "string"}
    if field.many:
        return {"description": field.about, "type": ["array", "null"], "items": one}
    return {"description": field.about, **one, "type": [one["type"], "null"]}


def rules() -> str:
    """Every rule of the conformance kit, under what it is asked of."""
    parts = ["# Rules", NOTE, f"What `earwitness plugins check` asks.\n\n{inspect.getdoc(testing)}"]
    for group in testing.GROUPS:
        title, _, text = (inspect.getdoc(group) or "").partition("\n")
        parts += [f"## {title.rstrip('.')}", *filter(None, [text.strip()])]
        parts.append("\n".join(f"- `{rule.__name__}`: {rule.__doc__.partition(chr(10))[0]}" for rule in group.RULES))
    return "\n\n".join(parts) + "\n"


def parameters() -> str:
    """How many parameters the networks have, beside the published counts."""
    rows = []
    for name, settings, dims, classes, published in SIZES:
        ours = count(load_catalogue().get("embedder", name)(**settings), dims, classes)
        written = ", ".join(f"{key}={value}" for key, value in settings.items())
        beside = (f"{published:,}", f"{ours / published - 1:+.1%}") if published else ("not printed", "")
        rows.append((f"`{name}`" + (f", {written}" if written else ""), str(dims), str(classes), f"{ours:,}", *beside))
    columns = ("network", "features", "classes", "ours", "published", "difference")
    return "\n\n".join(["# Sizes of networks", NOTE, ABOUT_SIZES, markdown(columns, rows)]) + "\n"


def count(embedder: Any, dims: int, classes: int) -> int:
    """Parameters of an embedder's network for so many features, with a head for so many classes."""
    import torch

    with torch.device("meta"):
        network = embedder.network(dims)
    body = sum(int(each.numel()) for each in network.parameters())
    return body + classes * int(embedder.dim) if classes else body


def main() -> int:
    """Write what is out of date, or with --check name it and return 1."""
    wanted = {
        "hooks.md": hooks(),
        "commands.md": commands(),
        "parts.md": parts(),
        "rules.md": rules(),
        "parameters.md": parameters(),
        "papers.md": papers_page(NOTE, read_papers(), read_measured()),
        "card.schema.json": card_schema(),
    }
    stale = {
        file: text
        for name, text in wanted.items()
        if not (file := DOCS / name).is_file() or file.read_text("utf-8") != text
    }
    for file, text in stale.items():
        if "--check" in sys.argv[1:]:
            print(f"{file} is out of date: run python docs/generate.py")
        else:
            file.write_text(text, "utf-8")
    return 1 if stale and "--check" in sys.argv[1:] else 0


if __name__ == "__main__":
    sys.exit(main())
