"""The tables of a registry, as steps from one schema version to the next; `PRAGMA user_version` counts them."""

APPLICATION_ID = 0x45415257  # "EARW", so that another program's database isn't taken for a registry

_FIRST = (
    """CREATE TABLE registry (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        name TEXT NOT NULL,
        factory TEXT NOT NULL,
        version INTEGER NOT NULL
    ) STRICT""",
    """CREATE TABLE models (
        name TEXT PRIMARY KEY,
        task TEXT NOT NULL UNIQUE,
        space TEXT NOT NULL UNIQUE,
        pipeline TEXT NOT NULL,
        probe BLOB NOT NULL,
        digests TEXT NOT NULL,
        revision INTEGER NOT NULL
    ) STRICT""",
    "CREATE TABLE cards (id TEXT PRIMARY KEY, task TEXT NOT NULL, card TEXT NOT NULL) STRICT",
    """CREATE TABLE clips (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        source TEXT NOT NULL REFERENCES cards (id),
        task TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        samples_sha256 TEXT NOT NULL,
        path TEXT NOT NULL,
        origin TEXT NOT NULL,
        duration REAL NOT NULL,
        added TEXT NOT NULL,
        UNIQUE (task, samples_sha256),
        UNIQUE (task, sha256)
    ) STRICT""",
    "CREATE INDEX clips_of_source ON clips (source)",
    """CREATE TABLE embeddings (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        clip INTEGER NOT NULL REFERENCES clips (id) ON DELETE CASCADE,
        space TEXT NOT NULL REFERENCES models (space),
        start REAL NOT NULL,
        vector BLOB NOT NULL
    ) STRICT""",
    "CREATE INDEX embeddings_of_space ON embeddings (space)",
    "CREATE INDEX embeddings_of_clip ON embeddings (clip)",
    """CREATE TABLE calibrations (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        space TEXT NOT NULL REFERENCES models (space),
        version INTEGER NOT NULL,
        data TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE audit (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at TEXT NOT NULL,
        version INTEGER NOT NULL,
        what TEXT NOT NULL,
        detail TEXT NOT NULL
    ) STRICT""",
    "CREATE INDEX audit_by_version ON audit (version)",
    """CREATE TRIGGER audit_keeps BEFORE UPDATE ON audit
        BEGIN SELECT raise(ABORT, 'the history can only be added to'); END""",
    """CREATE TRIGGER audit_stays BEFORE DELETE ON audit
        BEGIN SELECT raise(ABORT, 'the history can only be added to'); END""",
)

# A task may have several models, a calibration belongs to a task, and a clip may be of a cell. SQLite can't drop a
# constraint, so the tables are made anew.
_SECOND = (
    """CREATE TABLE new_models (
        name TEXT PRIMARY KEY,
        task TEXT NOT NULL,
        space TEXT NOT NULL UNIQUE,
        pipeline TEXT NOT NULL,
        probe BLOB NOT NULL,
        digests TEXT NOT NULL,
        revision INTEGER NOT NULL
    ) STRICT""",
    "INSERT INTO new_models SELECT name, task, space, pipeline, probe, digests, revision FROM models",
    """CREATE TABLE new_calibrations (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        task TEXT NOT NULL,
        version INTEGER NOT NULL,
        data TEXT NOT NULL
    ) STRICT""",
    """INSERT INTO new_calibrations SELECT calibrations.id, task, version, data
        FROM calibrations JOIN models USING (space)""",
    "DROP TABLE calibrations",
    "DROP TABLE models",
    "ALTER TABLE new_models RENAME TO models",
    "ALTER TABLE new_calibrations RENAME TO calibrations",
    "ALTER TABLE clips ADD COLUMN cell TEXT",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_FIRST, _SECOND)
