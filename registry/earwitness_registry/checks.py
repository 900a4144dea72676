"""What a registry holds, and whether it is sound: every fault is one line."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np

from earwitness_registry.gallery import Gallery
from earwitness_registry.models import digests
from earwitness_registry.vectors import UNIT_TOLERANCE, exact_search

SAMPLE = 32
CLOSE = 1e-4


def statistics(db: sqlite3.Connection, folder: Path) -> dict[str, Any]:
    """Name, version, index kind, and counts of sources, clips, rows by space and bytes."""
    name, factory, version = db.execute("SELECT name, factory, version FROM registry").fetchone()
    rows = db.execute(
        "SELECT models.space, count(embeddings.id) FROM models LEFT JOIN embeddings USING (space) GROUP BY 1"
    )
    return {
        "name": name,
        "version": version,
        "index": factory,
        "sources": db.execute("SELECT count(*) FROM cards").fetchone()[0],
        "clips": db.execute("SELECT count(*) FROM clips").fetchone()[0],
        "rows": dict(rows.fetchall()),
        "bytes": sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
    }


def stored_faults(db: sqlite3.Connection, models: Path) -> list[str]:
    """What is wrong with the truth: tables, vectors, cards and the models' files."""
    faults = [f"database: {line}" for (line,) in db.execute("PRAGMA integrity_check") if line != "ok"]
    faults += [f"table {row[0]}: row {row[1]} refers to nothing" for row in db.execute("PRAGMA foreign_key_check")]
    query = """SELECT path, models.space FROM clips JOIN models USING (task)
        LEFT JOIN embeddings ON clip = clips.id AND embeddings.space = models.space
        WHERE embeddings.id IS NULL ORDER BY clips.id, models.space"""
    faults += [f"clip {path!r} has no vectors of space {space}" for path, space in db.execute(query)]
    query = "SELECT embeddings.id, vector, length(probe) FROM embeddings JOIN models USING (space)"
    faults += [f"vector {row}: {fault}" for row, blob, size in db.execute(query) if (fault := _fault(blob, size))]
    for name, expected in db.execute("SELECT name, digests FROM models ORDER BY name"):
        faults += _model_faults(models / name, json.loads(expected))
    return faults


def index_faults(gallery: Gallery) -> list[str]:
    """What is wrong with the snapshot; and does an index of uncompressed rows find a sample of them?"""
    faults = gallery.index.faults(gallery.rows)
    first, *rest = gallery.index.factory.split(",")
    uncompressed = [first, *rest][-1] == "Flat" and not first.startswith("HNSW")
    if faults or not uncompressed or not len(gallery.embeddings):
        return faults
    sample = gallery.embeddings[:: -(-len(gallery.embeddings) // SAMPLE)]
    similarities, _ = gallery.search(sample, 1)
    if np.abs(similarities - exact_search(gallery.embeddings, sample, 1)[0]).max() > CLOSE:
        faults.append(
            f"index {gallery.index.file.name} disagrees with brute force: delete it, the next search mends it"
        )
    return faults


def _model_faults(folder: Path, expected: dict[str, str]) -> list[str]:
    """Files of a model that are missing, changed or new since it was copied."""
    found = digests(folder)
    names = sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name))
    return [f"model {folder.name}: file {name} is missing, changed or new" for name in names]


def _fault(blob: bytes, size: int) -> str | None:
    """What is wrong with one stored vector."""
    if len(blob) != size:
        return f"{len(blob) // 4} numbers instead of {size // 4}"
    vector = np.frombuffer(blob, np.float32)
    if not np.isfinite(vector).all():
        return "NaN or infinity"
    length = float(np.linalg.norm(vector))
    return None if abs(length - 1) <= UNIT_TOLERANCE else f"length {length:.4g} instead of 1"
