"""What happens to rows when a clip is enrolled or a source is removed; each function runs inside a transaction."""

import difflib
import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from earwitness_registry.cards import Card, Task
from earwitness_registry.errors import ClipConflictError, RegistryError, SourceUnknownError, SpaceMismatchError
from earwitness_registry.models import space_row, task_spaces
from earwitness_registry.store import now
from earwitness_registry.vectors import unit_rows

Vectors = Mapping[str, tuple[ArrayLike, ArrayLike]]
"""By space: the windows' starts (B,) in seconds, and their unit embeddings (B, d)."""


@dataclass(frozen=True, slots=True)
class StoredClip:
    """An enrolled clip: digests of its file and of its decoded samples, where it came from, and when it came.

    `origin` is plain data (container, codec, native rate ...), `duration` in seconds, `added` ISO 8601. `cell` is
    the voice, speaker or page it is of: what a source comes in and should be told apart in spite of.
    """

    sha256: str
    samples_sha256: str
    path: str
    origin: Mapping[str, Any] = field(default_factory=dict)
    duration: float = 0.0
    added: str = field(default_factory=now)
    cell: str | None = None


def read_card(db: sqlite3.Connection, source: str) -> Card:
    """The card of a source.

    Raises:
        SourceUnknownError: No such source; the text offers near ids.
    """
    row = db.execute("SELECT card FROM cards WHERE id = ?", (source,)).fetchone()
    if row is None:
        known = [id_ for (id_,) in db.execute("SELECT id FROM cards ORDER BY id")]
        near = difflib.get_close_matches(source, known) or known[:5]
        hint = f"did you mean {', '.join(near)}?" if near else "it holds none yet: 'earwitness enroll' adds one"
        raise SourceUnknownError(f"the registry holds no source {source!r}; {hint}")
    return Card.from_dict(json.loads(row[0]))


def read_cards(db: sqlite3.Connection, task: Task | None) -> tuple[Card, ...]:
    """The cards, by id; of one task when it is given."""
    rows = db.execute("SELECT card FROM cards WHERE ?1 IS NULL OR task = ?1 ORDER BY id", (task,))
    return tuple(Card.from_dict(json.loads(card)) for (card,) in rows)


def add_card(db: sqlite3.Connection, card: Card) -> None:
    """Write a new source's card; RegistryError when the id is taken."""
    if db.execute("SELECT 1 FROM cards WHERE id = ?", (card.id,)).fetchone():
        raise RegistryError(f"source {card.id!r} has a card already: update it, or choose another id")
    put_card(db, card)


def update_card(db: sqlite3.Connection, card: Card) -> None:
    """Replace a source's card; SourceUnknownError without one, RegistryError for another task."""
    held = read_card(db, card.id)
    if held.task != card.task:
        raise RegistryError(
            f"source {card.id!r} is known for task {held.task!r}: give the {card.kind} another id, "
            "or remove the source first"
        )
    put_card(db, card)


def put_card(db: sqlite3.Connection, card: Card) -> None:
    """Write a card over what was there."""
    data = json.dumps(card.to_dict(), ensure_ascii=False)
    db.execute(
        "INSERT INTO cards VALUES (?1, ?2, ?3) ON CONFLICT (id) DO UPDATE SET task = ?2, card = ?3",
        (card.id, card.task, data),
    )


def read_clips(db: sqlite3.Connection, source: str) -> tuple[StoredClip, ...]:
    """The clips of a source in the order they came."""
    read_card(db, source)
    query = "SELECT sha256, samples_sha256, path, origin, duration, added, cell FROM clips WHERE source = ? ORDER BY id"
    return tuple(
        StoredClip(sha256, samples, path, json.loads(origin), duration, added, cell)
        for sha256, samples, path, origin, duration, added, cell in db.execute(query, (source,))
    )


def count_clips(db: sqlite3.Connection) -> dict[str, int]:
    """How many clips each source has, by id."""
    query = "SELECT cards.id, count(clips.id) FROM cards LEFT JOIN clips ON source = cards.id GROUP BY 1 ORDER BY 1"
    return dict(db.execute(query).fetchall())


def has_clip(db: sqlite3.Connection, samples_sha256: str, source: str) -> bool:
    """Whether the source has a clip of these decoded samples."""
    query = "SELECT 1 FROM clips WHERE samples_sha256 = ? AND source = ?"
    return db.execute(query, (samples_sha256, source)).fetchone() is not None


def insert_clip(db: sqlite3.Connection, card: Card, clip: StoredClip, vectors: Vectors) -> int:
    """Add a clip, its rows, and its card when that is new; returns the number of rows, 0 for a clip known.

    Raises:
        ClipConflictError: The clip is enrolled as another source of the task.
        SpaceMismatchError: Vectors of a space, task or dimension that the registry has no model for.
        RegistryError: A model of the task got no vector, one isn't finite and unit, or the card is of another task.
    """
    rows = [row for space in sorted(vectors) for row in _rows(db, card, space, *vectors[space])]
    if missing := sorted(task_spaces(db, card.task) - {space for space, _, _ in rows}):
        raise RegistryError(
            f"clip {clip.path!r} came without vectors of space {missing[0]!r}: every model of task {card.task!r} "
            "must hear at least one window of it"
        )
    if _is_known(db, card, clip):
        return 0
    _agree_on_card(db, card)
    values = (card.id, card.task, clip.sha256, clip.samples_sha256, clip.path)
    origin = json.dumps(dict(clip.origin), ensure_ascii=False)
    inserted = db.execute(
        "INSERT INTO clips (source, task, sha256, samples_sha256, path, origin, duration, added, cell) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*values, origin, clip.duration, clip.added, clip.cell),
    )
    db.executemany(
        "INSERT INTO embeddings (clip, space, start, vector) VALUES (?, ?, ?, ?)",
        [(inserted.lastrowid, *row) for row in rows],
    )
    return len(rows)


def delete(db: sqlite3.Connection, source: str, clip_sha256: str | None) -> tuple[int, list[str]]:
    """Remove a source with its card, or one clip of it; returns the rows removed and their spaces."""
    read_card(db, source)
    clips = "SELECT id FROM clips WHERE source = ?1 AND (?2 IS NULL OR ?2 IN (sha256, samples_sha256))"
    chosen = (source, clip_sha256)
    if clip_sha256 is not None and db.execute(clips, chosen).fetchone() is None:
        raise RegistryError(
            f"source {source!r} has no clip {clip_sha256}: 'earwitness registry show {source}' lists its clips"
        )
    gone = f"FROM embeddings WHERE clip IN ({clips})"
    spaces = [space for (space,) in db.execute(f"SELECT DISTINCT space {gone}", chosen)]
    rows = db.execute(f"DELETE {gone}", chosen).rowcount
    db.execute(f"DELETE FROM clips WHERE id IN ({clips})", chosen)  # noqa: S608 - no value from outside
    if clip_sha256 is None:
        db.execute("DELETE FROM cards WHERE id = ?", (source,))
    return rows, spaces


def _rows(
    db: sqlite3.Connection, card: Card, space: str, starts: ArrayLike, embeddings: ArrayLike
) -> list[tuple[str, float, bytes]]:
    """The windows of one space as (space, start, blob), checked."""
    task, dimension, _ = space_row(db, space)
    if task != card.task:
        raise SpaceMismatchError(
            f"source {card.id!r} answers task {card.task!r}, its vectors are of a model for task {task!r}: "
            "enrol it by a model of its own task"
        )
    unit = unit_rows(embeddings, dimension)
    seconds = np.asarray(starts, dtype=np.float64)
    if seconds.shape != (len(unit),) or not np.isfinite(seconds).all():
        raise RegistryError(f"{len(unit)} windows need as many finite start times, not {seconds.shape}")
    return [(space, float(start), vector.tobytes()) for start, vector in zip(seconds, unit, strict=True)]


def _is_known(db: sqlite3.Connection, card: Card, clip: StoredClip) -> bool:
    """Whether the source has that clip; a clip of another source of the task raises ClipConflictError."""
    query = "SELECT source, path FROM clips WHERE task = ? AND (samples_sha256 = ? OR sha256 = ?)"
    held = db.execute(query, (card.task, clip.samples_sha256, clip.sha256)).fetchall()
    for source, path in held:
        if source != card.id:
            raise ClipConflictError(
                f"clip {clip.path!r} is enrolled as {source!r} already (from {path!r}), so it can't be {card.id!r}: "
                f"remove it there first with 'earwitness registry remove {source} --clip {clip.sha256}'"
            )
    return bool(held)


def _agree_on_card(db: sqlite3.Connection, card: Card) -> None:
    """Add a new source's card; a known source keeps its own, which must answer the same task."""
    held = db.execute("SELECT task FROM cards WHERE id = ?", (card.id,)).fetchone()
    if held is None:
        put_card(db, card)
    elif held[0] != card.task:
        raise RegistryError(
            f"source {card.id!r} is known for task {held[0]!r}, not {card.task!r}: give this one another id"
        )
