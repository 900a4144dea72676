"""The clips of a manifest as references to enrol."""

from earwitness.errors import ManifestError
from earwitness.listening import Excerpt
from earwitness.manifest import Manifest
from earwitness.types import Kind

__all__ = ["References", "references"]

References = dict[Kind | None, list[tuple[str, Excerpt]]]
"""(source, excerpt) pairs by the kind that a source new to the registry gets; None leaves it to its card."""


def references(manifest: Manifest, kind: Kind | None = None) -> References:
    """The clips that name a source, of one `kind` where it is given, else as their tasks say.

    Raises:
        ManifestError: no row names a source.
    """
    found: References = {}
    for row in manifest.rows:
        if row.source:
            own = kind or ("device" if row.task == "device" else None)
            name, made = row.columns["path"], row.columns.get("made") or None
            excerpt = Excerpt(row.path, row.start, row.end, name, row.voice, made)
            found.setdefault(own, []).append((row.source, excerpt))
    if not found:
        raise ManifestError(f"{manifest.path}: no row names a source to enrol; fill the column 'source'")
    return found
