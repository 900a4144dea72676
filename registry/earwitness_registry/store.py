"""The truth of a registry: one SQLite file, its transactions and its append-only history."""

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from earwitness_registry.errors import (
    RegistryDamagedError,
    RegistryError,
    RegistryMissingError,
    RegistryReadOnlyError,
)
from earwitness_registry.schema import APPLICATION_ID, MIGRATIONS

FILE = "registry.sqlite"
BUSY_SECONDS = 30


def now() -> str:
    """The time in UTC, as ISO 8601 with microseconds."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


class Store:
    """A connection to `registry.sqlite`, shared by the threads of one process, one transaction at a time.

    A write waits up to 30 s for another process' write. WAL with `synchronous=FULL`: what was committed
    outlives a kill and a power cut; what wasn't leaves no trace.
    """

    def __init__(self, folder: Path, *, read_only: bool) -> None:
        self.file = folder / FILE
        self.read_only = read_only
        self._lock = threading.RLock()
        self._seen: object = None
        self._db = self._connect()

    @classmethod
    def create(cls, folder: Path, name: str, factory: str) -> Self:
        """Make the file and its tables in one transaction.

        Raises:
            RegistryError: A registry is there already, or the folder can't be made.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RegistryError(
                f"can't make a registry at {folder}: {error.strerror}; choose another folder"
            ) from error
        with _explained(folder), _closing(_open(folder / FILE, "rwc")) as db:
            db.execute("BEGIN EXCLUSIVE")
            if db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
                raise RegistryError(f"there is a registry at {folder} already: open it, or choose another folder")
            _migrate(db, 0)
            db.execute("INSERT INTO registry VALUES (1, ?, ?, 1)", (name, factory))
            _enter(db, 1, "create", {"name": name, "index": factory})
            db.execute("COMMIT")
        return cls(folder, read_only=False)

    def close(self) -> None:
        """Close the connection; the last one of all processes folds the write-ahead log into the file."""
        with self._lock:
            self._db.close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A transaction that sees one state of the registry throughout."""
        with self._lock, _explained(self.file.parent):
            if self.read_only and self._seen != self._look():
                self._db.close()
                self._db = self._connect()
            self._db.execute("BEGIN")
            try:
                yield self._db
            finally:
                self._db.execute("ROLLBACK")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that is committed whole, or not at all when the block raises."""
        if self.read_only:
            raise RegistryReadOnlyError(
                f"the registry at {self.file.parent} is open for reading only: "
                "make your own with 'earwitness registry init' and name it by --registry"
            )
        with self._lock, _explained(self.file.parent):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            finally:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")

    def _connect(self) -> sqlite3.Connection:
        """A connection to tables of the newest schema."""
        if not self.file.is_file():
            raise RegistryMissingError(
                f"there is no registry at {self.file.parent}: make one with 'earwitness registry init'"
            )
        with _explained(self.file.parent):
            db = self._connect_read_only() if self.read_only else _open(self.file, "rw")
            try:
                return self._prepared(db)
            except BaseException:
                db.close()
                raise

    def _connect_read_only(self) -> sqlite3.Connection:
        """`immutable` makes no file beside the database, but is blind to a writer's log: only without one."""
        self._seen = self._look()
        log = self.file.with_name(FILE + "-wal").exists()
        return _open(self.file, "ro" if log else "ro&immutable=1")

    def _look(self) -> object:
        """Something that changes when a writer comes, or came and went."""
        status = self.file.stat()
        log = self.file.with_name(FILE + "-wal").exists()
        return (status.st_ino, status.st_size, status.st_mtime_ns, log)

    def _prepared(self, db: sqlite3.Connection) -> sqlite3.Connection:
        """Refuse what isn't a registry or is newer than this code; bring an older one, or a copy, up to date."""
        (application,) = db.execute("PRAGMA application_id").fetchone()
        (version,) = db.execute("PRAGMA user_version").fetchone()
        folder = self.file.parent
        if application != APPLICATION_ID:
            raise RegistryDamagedError(f"{self.file} isn't a registry: restore it, or choose another folder")
        if version > len(MIGRATIONS):
            raise RegistryError(
                f"the registry at {folder} was made by a newer Earwitness (schema {version}): pip install -U earwitness"
            )
        if self.read_only:
            return db if version == len(MIGRATIONS) else _upgraded_copy(db)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        if version < len(MIGRATIONS):
            _upgrade(db)
        db.execute("PRAGMA foreign_keys = ON")
        return db


def note(db: sqlite3.Connection, what: str, detail: Mapping[str, Any]) -> int:
    """Count and record a change inside its own transaction; returns the registry's new version."""
    (version,) = db.execute("UPDATE registry SET version = version + 1 RETURNING version").fetchone()
    _enter(db, version, what, detail)
    return int(version)


def record(db: sqlite3.Connection, what: str, detail: Mapping[str, Any]) -> None:
    """Record something that was asked or answered; the version stays."""
    (version,) = db.execute("SELECT version FROM registry").fetchone()
    _enter(db, version, what, detail)


def history(db: sqlite3.Connection, limit: int) -> tuple[dict[str, Any], ...]:
    """The newest entries of the history, newest first."""
    rows = db.execute("SELECT id, at, version, what, detail FROM audit ORDER BY id DESC LIMIT ?", (limit,))
    return tuple(
        {"id": id_, "at": at, "version": version, "what": what, "detail": json.loads(detail)}
        for id_, at, version, what, detail in rows
    )


def stamp(db: sqlite3.Connection, space: str) -> str:
    """What names the present rows of a space: the version that last changed them, and when."""
    query = """SELECT version, at FROM audit WHERE id = (
        SELECT min(audit.id) FROM audit JOIN models ON audit.version = models.revision WHERE models.space = ?)"""
    version, at = db.execute(query, (space,)).fetchone()
    return f"{version} {at}"


def has_stamp(db: sqlite3.Connection, mark: str) -> bool:
    """Whether this registry, with this past, ever was at that stamp."""
    version, _, at = mark.partition(" ")
    return db.execute("SELECT 1 FROM audit WHERE version = ? AND at = ?", (version, at)).fetchone() is not None


def _enter(db: sqlite3.Connection, version: int, what: str, detail: Mapping[str, Any]) -> None:
    """Add one line to the history."""
    values = (now(), version, what, json.dumps(detail, ensure_ascii=False))
    db.execute("INSERT INTO audit (at, version, what, detail) VALUES (?, ?, ?, ?)", values)


def _open(file: Path, mode: str) -> sqlite3.Connection:
    """A connection whose transactions begin when we say so; the store's lock keeps threads apart."""
    uri = f"{file.resolve().as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)


@contextmanager
def _closing(db: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """The connection, closed in the end; what it hasn't committed is rolled back."""
    try:
        yield db
    finally:
        db.close()


def _upgrade(db: sqlite3.Connection) -> None:
    """Apply the missing steps, unless another process was quicker."""
    db.execute("PRAGMA foreign_keys = OFF")  # else no table that others refer to could be made anew
    db.execute("BEGIN IMMEDIATE")
    (version,) = db.execute("PRAGMA user_version").fetchone()
    _migrate(db, version)
    db.execute("COMMIT")


def _upgraded_copy(db: sqlite3.Connection) -> sqlite3.Connection:
    """A copy in memory, brought up to date, of a registry whose file may only be read; closes the file."""
    copy = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    try:
        db.backup(copy)
        _upgrade(copy)
    except BaseException:
        copy.close()
        raise
    db.close()
    return copy


def _migrate(db: sqlite3.Connection, version: int) -> None:
    """Apply the steps after `version` inside the open transaction."""
    for step in MIGRATIONS[version:]:
        for statement in step:
            db.execute(statement)
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """SQLite's errors in words a user can act on."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise RegistryError(
            f"the registry at {folder} can't be used now ({error}): see that its folder can be written, that the "
            "disk has room and that no other process holds it, then try again"
        ) from error
    except sqlite3.IntegrityError:
        raise
    except sqlite3.DatabaseError as error:
        raise RegistryDamagedError(
            f"the registry at {folder} is damaged ({error}): restore it from a copy or a bundle"
        ) from error
