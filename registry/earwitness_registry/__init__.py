"""What is known, at rest: cards, references, the FAISS index and thresholds, in one folder."""

from typing import TYPE_CHECKING, Any

from earwitness_registry.cards import Card, Kind, Task, group_names

if TYPE_CHECKING:
    from earwitness_registry.enrolment import StoredClip
    from earwitness_registry.gallery import Gallery
    from earwitness_registry.models import StoredModel
    from earwitness_registry.registry import Registry

__all__ = ["Card", "Gallery", "Kind", "Registry", "StoredClip", "StoredModel", "Task", "group_names"]

_HOMES = {"Gallery": "gallery", "Registry": "registry", "StoredClip": "enrolment", "StoredModel": "models"}


def __getattr__(name: str) -> Any:
    """Import the database's parts when first asked for: the types of core need only the cards."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
