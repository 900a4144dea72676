"""Where things live on this machine."""

import os
import shutil
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

__all__ = [
    "Place",
    "adopt_starter",
    "cache_folder",
    "new_registry_folder",
    "registry_place",
    "starter_folder",
    "starter_models",
]


@dataclass(frozen=True, slots=True)
class Place:
    """A registry's folder; the `starter` that ships with the package may only be read."""

    folder: Path
    starter: bool


def starter_folder() -> Path:
    """The registry that ships with the package."""
    return Path(str(files("earwitness_registry"))) / "starter"


def user_folder() -> Path:
    """The user's own registry (XDG data folder)."""
    return _xdg("XDG_DATA_HOME", ".local/share") / "earwitness" / "registry"


def cache_folder() -> Path:
    """Where features are kept between trainings (XDG cache folder)."""
    return _xdg("XDG_CACHE_HOME", ".cache") / "earwitness"


def registry_place(asked: Path | None) -> Place:
    """The registry asked for, else `$EARWITNESS_REGISTRY`, else the user's own, else the starter."""
    if named := asked or os.environ.get("EARWITNESS_REGISTRY"):
        return Place(Path(named), starter=False)
    if user_folder().exists():
        return Place(user_folder(), starter=False)
    return Place(starter_folder(), starter=True)


def starter_models() -> list[Path]:
    """The model folders of the starter registry."""
    return sorted(path for path in (starter_folder() / "models").glob("*") if path.is_dir())


def new_registry_folder(asked: Path | None) -> Path:
    """Where a new registry goes: as asked, else `$EARWITNESS_REGISTRY`, else the user's own folder."""
    return asked or Path(os.environ.get("EARWITNESS_REGISTRY") or user_folder())


def adopt_starter() -> Place:
    """The user's own registry, made as a copy of the starter where there is none."""
    folder = user_folder()
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder.parent) as scratch:
            made = Path(shutil.copytree(starter_folder(), Path(scratch) / "registry"))
            try:
                made.rename(folder)
            except OSError:
                if not folder.exists():  # else another process was first, with the same copy
                    raise
    return Place(folder, starter=False)


def _xdg(variable: str, default: str) -> Path:
    return Path(os.environ.get(variable) or Path.home() / default)
