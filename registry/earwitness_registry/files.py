"""Files that are whole or not there at all."""

import fcntl
import hashlib
import os
from pathlib import Path
from typing import IO, Any


def sha256(data: bytes) -> str:
    """The SHA-256 of bytes, in hex."""
    return hashlib.sha256(data).hexdigest()


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def claimed(file: IO[Any]) -> bool:
    """Whether an open file could be locked for its holder alone; the lock goes with the file or the process."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def write_whole(path: Path, data: bytes) -> None:
    """Put `data` at `path` so that a reader, or a kill, meets the old content or the new and nothing between."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
