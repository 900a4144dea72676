"""Registries made before: they open, say what they said, and stay as they are where nothing may be written."""

import json
import sqlite3
import stat
from contextlib import closing

import numpy as np
import pytest

from earwitness_registry import Card, Registry, StoredClip, store
from earwitness_registry.errors import RegistryError, RegistryReadOnlyError
from earwitness_registry.schema import APPLICATION_ID, MIGRATIONS

EMBEDDINGS = np.eye(4, dtype=np.float32)
CLIPS = (("a", "one"), ("b", "two"))


def connect(folder):
    return closing(sqlite3.connect(folder / "registry.sqlite", isolation_level=None))


def fill(db):
    """The tables of schema 1, by its own step, with a model a task, two clips, and three calibrations."""
    for statement in ("PRAGMA journal_mode = WAL", "PRAGMA foreign_keys = ON", *MIGRATIONS[0]):
        db.execute(statement)
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute("PRAGMA user_version = 1")
    db.execute("INSERT INTO registry VALUES (1, 'old', 'Flat', 8)")
    events = ("create", "add model", "add model", "enroll", "enroll", "calibrate", "calibrate", "calibrate")
    for version, what in enumerate(events, start=1):
        db.execute("INSERT INTO audit VALUES (NULL, '2025', ?, ?, '{}')", (version, what))
    for name, task, revision in (("voices", "system", 5), ("phones", "device", 3)):
        values = (name, task, f"{name}-space", "rate: 16000", EMBEDDINGS[0].tobytes(), "{}", revision)
        db.execute("INSERT INTO models VALUES (?, ?, ?, ?, ?, ?, ?)", values)
    for number, (source, path) in enumerate(CLIPS, start=1):
        db.execute("INSERT INTO cards VALUES (?, 'system', ?)", (source, json.dumps({"id": source})))
        values = (number, source, "system", f"file-{path}", f"samples-{path}", path, "{}", 2.5, "2025")
        db.execute("INSERT INTO clips VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
        for row in range(2):
            vector = EMBEDDINGS[2 * number + row - 2].tobytes()
            db.execute("INSERT INTO embeddings VALUES (NULL, ?, 'voices-space', ?, ?)", (number, row, vector))
    for version, space, threshold in ((6, "voices-space", 0.5), (7, "voices-space", 0.7), (8, "phones-space", 0.2)):
        data = json.dumps({"threshold": threshold})
        db.execute("INSERT INTO calibrations VALUES (NULL, ?, ?, ?)", (space, version, data))


@pytest.fixture
def old(tmp_path):
    folder = tmp_path / "registry"
    for name in ("voices", "phones"):
        (folder / "models" / name).mkdir(parents=True)
    with connect(folder) as db:
        fill(db)
    return folder


def files(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def assert_says_what_it_said(registry):
    assert (registry.name, registry.version) == ("old", 8)
    assert [(model.name, model.task) for model in registry.models()] == [("phones", "device"), ("voices", "system")]
    assert registry.cards() == (Card("a"), Card("b"))
    expected = StoredClip("file-one", "samples-one", "one", {}, 2.5, "2025")
    assert registry.clips("a") == (expected,)
    held = registry.gallery("voices-space")
    np.testing.assert_array_equal(held.embeddings, EMBEDDINGS)
    assert [held.reference(row) for row in (0, 3)] == [CLIPS[0], CLIPS[1]]
    assert held.cells.tolist() == [0, 0, 1, 1]
    assert registry.calibration("system") == {"threshold": 0.7}
    assert registry.calibration("device") == {"threshold": 0.2}
    assert registry.calibration_is_current("system")
    assert len(registry.history()) == 8
    assert registry.verify() == []


def test_a_writable_one_is_brought_up_to_date(old):
    with Registry.open(old) as registry:
        assert_says_what_it_said(registry)
    with connect(old) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        kept = "SELECT id, task, version FROM calibrations ORDER BY id"
        assert db.execute(kept).fetchall() == [(1, "system", 6), (2, "system", 7), (3, "device", 8)]
    with Registry.open(old) as registry:
        assert_says_what_it_said(registry)


def test_then_it_takes_what_only_the_new_tables_hold(old, tmp_path):
    with Registry.open(old) as registry:
        models = {"pipeline": "", "probe": EMBEDDINGS[0]}
        (tmp_path / "model").mkdir()
        registry.add_model(tmp_path / "model", name="more", task="device", space="more-space", **models)
        vectors = {space: ([0.0], EMBEDDINGS[:1]) for space in ("phones-space", "more-space")}
        registry.enroll(Card("pixel", kind="device"), StoredClip("f", "s", "three", cell="anna"), vectors)
        assert registry.clips("pixel")[0].cell == "anna"
        assert not registry.calibration_is_current("device")
        registry.save_calibration("device", {})
        assert registry.calibration("device") == {}
        assert registry.verify() == []


def test_its_references_still_hold(old):
    with (
        Registry.open(old) as registry,
        pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"),
        registry._store.writing() as db,
    ):
        db.execute("DELETE FROM models")


def test_one_that_may_only_be_read_is_read_and_stays_as_it_is(old):
    before = files(old)
    old.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with Registry.open(old, read_only=True) as registry:
        assert_says_what_it_said(registry)
        with pytest.raises(RegistryReadOnlyError):
            registry.remove("a")
        with pytest.raises(RegistryReadOnlyError):
            registry.save_calibration("system", {})
    old.chmod(stat.S_IRWXU)
    assert files(old) == before


def test_a_reader_sees_what_is_still_in_a_writers_log(old):
    with connect(old) as writer:
        writer.execute("UPDATE registry SET name = 'renamed'")
        assert (old / "registry.sqlite-wal").stat().st_size
        with Registry.open(old, read_only=True) as registry:
            assert registry.name == "renamed"


def test_a_reader_follows_a_writer_that_brings_it_up_to_date(old):
    with Registry.open(old, read_only=True) as reader:
        assert_says_what_it_said(reader)
        with Registry.open(old) as writer:
            assert_says_what_it_said(reader)
            writer.remove("a")
            assert reader.cards() == (Card("b"),)
        assert reader.gallery("voices-space").sources == ("b",)


@pytest.mark.parametrize("read_only", [True, False])
def test_a_step_that_fails_leaves_the_old_tables(old, monkeypatch, read_only):
    monkeypatch.setattr(store, "MIGRATIONS", (MIGRATIONS[0], (*MIGRATIONS[1], "SELECT * FROM nowhere")))
    with pytest.raises(RegistryError, match="nowhere"):
        Registry.open(old, read_only=read_only)
    monkeypatch.undo()
    with connect(old) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (1,)
    with Registry.open(old) as registry:
        assert_says_what_it_said(registry)
