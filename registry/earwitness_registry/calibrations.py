"""Thresholds and what else calibration found: one a task, the earlier ones kept."""

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from earwitness_registry.cards import Task
from earwitness_registry.models import task_spaces
from earwitness_registry.store import note


def save(db: sqlite3.Connection, task: Task, data: Mapping[str, Any]) -> None:
    """Keep a calibration of all the task's models together; RegistryError when there are none."""
    task_spaces(db, task)
    version = note(db, "calibrate", {"task": task})
    values = (task, version, json.dumps(dict(data)))
    db.execute("INSERT INTO calibrations (task, version, data) VALUES (?, ?, ?)", values)


def newest(db: sqlite3.Connection, task: Task) -> dict[str, Any] | None:
    """The calibration that counts, as it was saved."""
    row = db.execute("SELECT data FROM calibrations WHERE task = ? ORDER BY id DESC LIMIT 1", (task,)).fetchone()
    return json.loads(row[0]) if row else None


def is_current(db: sqlite3.Connection, task: Task) -> bool:
    """Whether the newest calibration is younger than the last change of a model of the task or of its rows."""
    query = """SELECT (SELECT max(version) FROM calibrations WHERE task = ?1)
        > (SELECT max(revision) FROM models WHERE task = ?1)"""
    return bool(db.execute(query, (task,)).fetchone()[0])
