"""Options that several commands share."""

from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option

__all__ = [
    "Clips",
    "DeviceOption",
    "Json",
    "Manifest",
    "OptionalManifest",
    "RegistryFolder",
    "Settings",
    "TaskOption",
    "VoicePatterns",
    "listed",
]

Clips = Annotated[
    list[str],
    Argument(
        metavar="CLIP...",
        help="Files, folders, globs, @list.txt, or - for a list on standard input.",
        show_default=False,
    ),
]
RegistryFolder = Annotated[
    Path | None,
    Option(
        "--registry",
        help="Registry folder; default $EARWITNESS_REGISTRY, else your own, else the starter.",
        show_default=False,
    ),
]
TaskOption = Annotated[Literal["system", "device", "all"], Option("--task", help="Which question to answer.")]
DeviceOption = Annotated[Literal["cpu", "cuda"], Option("--device", help="Where networks run.")]
Json = Annotated[bool, Option("--json", help="Print JSON for programs.")]
Manifest = Annotated[
    Path, Option("--manifest", help="Manifest: CSV, JSONL or Parquet, one line a clip.", show_default=False)
]
OptionalManifest = Annotated[
    Path | None, Option("--manifest", help="Manifest: CSV, JSONL or Parquet, one line a clip.", show_default=False)
]
VoicePatterns = Annotated[
    list[str] | None,
    Option("--voice", help="Only voices of this name or pattern, as 'en*'; may be repeated.", show_default=False),
]
Settings = Annotated[
    list[str] | None,
    Option(
        "--set",
        metavar="KEY=VALUE",
        help="A parameter of the synthesizer, e.g. url=http://localhost:8880.",
        show_default=False,
    ),
]


def listed(text: str | None) -> list[str]:
    """The names in 'a, b'."""
    return [name.strip() for name in (text or "").split(",") if name.strip()]
