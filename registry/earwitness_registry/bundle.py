"""Sources as one file, to hand from one registry to another.

A zip of `manifest.json`, `sources.json` and `embeddings.safetensors`. The manifest holds the SHA-256 of the two others
and of itself (written without that line), so a torn or changed file is refused before anything is taken from it.
The digests tell accidents, not forgers: who gets a bundle asks who made it for its SHA-256, by another way.
"""

import json
import sqlite3
import zipfile
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from earwitness_registry.cards import Card
from earwitness_registry.enrolment import StoredClip, insert_clip, put_card, read_card, read_clips
from earwitness_registry.errors import BundleError, RegistryError, SpaceMismatchError
from earwitness_registry.files import sha256, write_whole
from earwitness_registry.models import rows_changed
from earwitness_registry.store import note
from earwitness_registry.vectors import FloatArray

FORMATS = ("earwitness-bundle-1", "earwitness-bundle-2")  # the first knows no cells; the last is what is written
MEMBERS = ("sources.json", "embeddings.safetensors")
MANIFEST = "manifest.json"
UNREADABLE = (
    zipfile.BadZipFile,
    SafetensorError,
    AttributeError,
    EOFError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What a torn file, or one put together by hand, raises somewhere on its way in."""

ClipVectors = dict[str, tuple[FloatArray, FloatArray]]


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """Cards, and the clips of each with their vectors by space: starts (B,) in seconds and embeddings (B, d)."""

    cards: tuple[Card, ...]
    clips: tuple[tuple[Card, StoredClip, ClipVectors], ...]


def collect(db: sqlite3.Connection, sources: list[str]) -> Bundle:
    """These sources as a bundle; SourceUnknownError names near ids."""
    cards = tuple(read_card(db, source) for source in sources)
    clips = [(card, clip, _vectors(db, card, clip)) for card in cards for clip in read_clips(db, card.id)]
    return Bundle(cards, tuple(clips))


def add(db: sqlite3.Connection, content: Bundle, origin: str) -> int:
    """Enrol everything and record it as one change; returns how many clips were new."""
    _refuse_strange_spaces(db, content, origin)
    known = {source for (source,) in db.execute("SELECT id FROM cards")}
    fresh = [card for card in content.cards if card.id not in known]
    for card in fresh:
        put_card(db, card)
    added = [vectors for card, clip, vectors in content.clips if insert_clip(db, card, clip, vectors)]
    if added or fresh:
        version = note(db, "import", {"file": origin, "sources": len(fresh), "clips": len(added)})
        rows_changed(db, {space for vectors in added for space in vectors}, version)
    return len(added)


def _refuse_strange_spaces(db: sqlite3.Connection, content: Bundle, origin: str) -> None:
    """Raise SpaceMismatchError when vectors are of a space that no model of the registry has."""
    own = {space for (space,) in db.execute("SELECT space FROM models")}
    if strange := sorted({space for _, _, vectors in content.clips for space in vectors} - own):
        raise SpaceMismatchError(
            f"{origin} was exported with a model that this registry has not (space {strange[0]!r}, here "
            f"{', '.join(map(repr, sorted(own))) or 'none'}): ask for the clips and enrol them, or for that model and "
            "import into a registry that 'earwitness registry init --model' makes around it"
        )


def write(content: Bundle, file: Path) -> None:
    """Write a bundle whole or not at all; RegistryError when the place won't have it."""
    lines, arrays = _packed(content)
    sources = {"cards": [card.to_dict() for card in content.cards], "clips": lines}
    data = dict(zip(MEMBERS, (json.dumps(sources, indent=1).encode(), save(arrays)), strict=True))
    manifest = _manifest(FORMATS[-1], data)
    whole = BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name, member in [(MANIFEST, json.dumps(manifest, indent=1).encode()), *data.items()]:
            archive.writestr(zipfile.ZipInfo(name), member)
    try:
        write_whole(file, whole.getvalue())
    except OSError as error:
        raise RegistryError(f"can't write {file}: {error.strerror}; choose another place") from error


def read(file: Path) -> Bundle:
    """Read a bundle.

    Raises:
        BundleError: There is none, it is torn or changed, or of another format.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            if any(archive.getinfo(name).compress_type != zipfile.ZIP_STORED for name in (MANIFEST, *MEMBERS)):
                raise BundleError(f"{file} is compressed, as no exported file is: export it again")
            manifest = json.loads(archive.read(MANIFEST))
            data = {name: archive.read(name) for name in MEMBERS}
        if manifest not in [_manifest(known, data) for known in FORMATS]:
            raise BundleError(f"{file} was changed after it was written, or is of another format: export it again")
        return _unpacked(json.loads(data[MEMBERS[0]]), load(data[MEMBERS[1]]))
    except OSError as error:
        raise BundleError(f"can't read {file}: {error.strerror or error}; give a file that was exported") from error
    except UNREADABLE as error:
        raise BundleError(f"{file} is torn or isn't an exported registry: export it again") from error


def _manifest(format_: str, members: dict[str, bytes]) -> dict[str, Any]:
    """The manifest that belongs to these members."""
    digests = {name: sha256(data) for name, data in members.items()}
    manifest: dict[str, Any] = {"format": format_, "members": digests}
    return {**manifest, "sha256": sha256(json.dumps(manifest, sort_keys=True).encode())}


def _packed(content: Bundle) -> tuple[list[dict[str, Any]], dict[str, FloatArray]]:
    """The clips as plain data that point into arrays, and the arrays: starts and vectors of each space in a row."""
    parts: dict[str, list[FloatArray]] = {}
    rows: dict[str, int] = {}
    lines = []
    for card, clip, vectors in content.clips:
        places = {}
        for space, (starts, embeddings) in vectors.items():
            first = rows.get(space, 0)
            rows[space] = first + len(starts)
            places[space] = [first, rows[space]]
            parts.setdefault(f"{space}/starts", []).append(starts)
            parts.setdefault(f"{space}/embeddings", []).append(embeddings)
        lines.append({"source": card.id, "clip": asdict(clip), "rows": places})
    return lines, {name: np.concatenate(arrays) for name, arrays in parts.items()}


def _unpacked(sources: dict[str, Any], arrays: dict[str, FloatArray]) -> Bundle:
    """The inverse of `_packed`."""
    cards = {data["id"]: Card.from_dict(data) for data in sources["cards"]}
    clips = []
    for line in sources["clips"]:
        vectors = {
            space: (arrays[f"{space}/starts"][first:last], arrays[f"{space}/embeddings"][first:last])
            for space, (first, last) in line["rows"].items()
        }
        clips.append((cards[line["source"]], StoredClip(**line["clip"]), vectors))
    return Bundle(tuple(cards.values()), tuple(clips))


def _vectors(db: sqlite3.Connection, card: Card, clip: StoredClip) -> ClipVectors:
    """The vectors of one clip by space, in the order they were enrolled."""
    query = """SELECT space, start, vector FROM embeddings JOIN clips ON clips.id = clip
        WHERE task = ? AND sha256 = ? ORDER BY embeddings.id"""
    rows = db.execute(query, (card.task, clip.sha256)).fetchall()
    return {
        space: (
            np.array([start for name, start, _ in rows if name == space], np.float32),
            np.stack([np.frombuffer(vector, np.float32) for name, _, vector in rows if name == space]),
        )
        for space in sorted({name for name, _, _ in rows})
    }
