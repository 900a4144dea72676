"""What is known, in one folder: the door through which the engine asks and changes it.

registry.sqlite     the truth: cards, clips, embeddings, calibrations, history
models/NAME/        a copied model folder each
index/SPACE.*       derived: the FAISS snapshot with its label, fitted scorers
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from earwitness_registry import bundle, calibrations, checks, enrolment, store
from earwitness_registry.cards import Card, Task
from earwitness_registry.enrolment import StoredClip, Vectors
from earwitness_registry.errors import RegistryDamagedError
from earwitness_registry.gallery import Gallery, read_gallery
from earwitness_registry.index import SpaceIndex, check_factory
from earwitness_registry.models import (
    StoredModel,
    checked_name,
    copy_model,
    read_models,
    refuse_late,
    refuse_second,
    rows_changed,
    space_row,
)
from earwitness_registry.states import Arrays, read_state, write_state
from earwitness_registry.store import Store
from earwitness_registry.vectors import FloatArray, unit_rows


class Registry:
    """A registry of sources; a context manager. Threads may share one, processes open one each.

    Any method may raise RegistryError when the disk or another process is in the way, any change
    RegistryReadOnlyError. Each change is one transaction, raises `version` by one and records itself.
    """

    def __init__(self, folder: Path, opened: Store) -> None:
        self.folder = folder
        self._store = opened
        self._galleries: dict[str, Gallery] = {}
        with opened.reading() as db:
            self.name, self._factory = db.execute("SELECT name, factory FROM registry").fetchone()

    @classmethod
    def create(cls, folder: Path, name: str | None = None, index: str = "Flat") -> Self:
        """Make a registry; `index` is a FAISS factory string such as 'HNSW32' or 'IVF1024,SQ8'.

        An index that must be trained is 'Flat' until there are 39 rows for each of its codewords.

        Raises:
            RegistryError: There is one already, or the folder can't be made.
        """
        return cls(folder, Store.create(folder, name or folder.resolve().name, index))

    @classmethod
    def open(cls, folder: Path, read_only: bool = False) -> Self:
        """Open a registry; with `read_only` nothing is written, so a folder without write permission will do.

        One of an older schema is brought up to date; with `read_only` a copy of it in memory is.

        Raises:
            RegistryMissingError: There is none.
            RegistryDamagedError: What is there isn't one, or is broken.
            RegistryError: It was made by a newer Earwitness.
        """
        return cls(folder, Store(folder, read_only=read_only))

    def close(self) -> None:
        """Let go of the files."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def read_only(self) -> bool:
        """Whether it may only be asked."""
        return self._store.read_only

    @property
    def version(self) -> int:
        """How many changes were committed, by any process."""
        with self._store.reading() as db:
            return int(db.execute("SELECT version FROM registry").fetchone()[0])

    def add_model(self, folder: Path, *, name: str, task: Task, space: str, pipeline: str, probe: FloatArray) -> None:
        """Copy a model's folder in; `pipeline` is its YAML text, `probe` (d,) its unit embedding of a made-up clip.

        A task may have several models, and each clip is enrolled by all of them.

        Raises:
            RegistryError: The name or space has its model already, clips of the task are enrolled, the folder isn't
                there, a name can't be a file's, or the registry's index can't be of that dimension.
        """
        checked_name(name)
        checked_name(space)
        vector = unit_rows(probe[np.newaxis], probe.size)[0]
        check_factory(self._factory, vector.size)
        with self._store.writing() as db:
            refuse_second(db, name, space)
            refuse_late(db, name, task)
            digests = copy_model(folder, self.folder / "models", name)
            revision = store.note(db, "add model", {"name": name, "task": task, "space": space})
            values = (name, task, space, pipeline, vector.tobytes(), digests, revision)
            db.execute("INSERT INTO models VALUES (?, ?, ?, ?, ?, ?, ?)", values)

    def models(self) -> tuple[StoredModel, ...]:
        """The models, by name."""
        with self._store.reading() as db:
            return read_models(db, self.folder / "models")

    def add_card(self, card: Card) -> None:
        """Add a source without clips; RegistryError when the id is taken."""
        with self._store.writing() as db:
            enrolment.add_card(db, card)
            store.note(db, "add card", card.to_dict())

    def update_card(self, card: Card) -> None:
        """Replace a source's card; SourceUnknownError without one, RegistryError for another task."""
        with self._store.writing() as db:
            enrolment.update_card(db, card)
            store.note(db, "update card", card.to_dict())

    def card(self, source: str) -> Card:
        """A source's card; SourceUnknownError names near ids."""
        with self._store.reading() as db:
            return enrolment.read_card(db, source)

    def cards(self, task: Task | None = None) -> tuple[Card, ...]:
        """All cards, or those of one task, by id."""
        with self._store.reading() as db:
            return enrolment.read_cards(db, task)

    def enroll(self, card: Card, clip: StoredClip, vectors: Vectors) -> bool:
        """Add a clip with its vectors, by space (starts (B,) in seconds, unit embeddings (B, d)), whole or not at all.

        A new source comes with its card, a known one keeps its own. A clip is known again by its file or samples.

        Returns:
            False when the source has that clip already; then nothing changes.

        Raises:
            ClipConflictError: The clip is enrolled as another source of the task.
            SpaceMismatchError: No model of the registry has that space, dimension and task.
            RegistryError: A model of the task got no vector, one isn't finite and unit, or the card is of another task.
        """
        with self._store.writing() as db:
            rows = enrolment.insert_clip(db, card, clip, vectors)
            if rows:
                detail = {"source": card.id, "clip": clip.path, "sha256": clip.sha256, "rows": rows}
                rows_changed(db, vectors, store.note(db, "enroll", detail))
        return bool(rows)

    def knows(self, samples_sha256: str, source: str) -> bool:
        """Whether the source has a clip of these decoded samples, so that it needn't be embedded again."""
        with self._store.reading() as db:
            return enrolment.has_clip(db, samples_sha256, source)

    def clips(self, source: str) -> tuple[StoredClip, ...]:
        """The source's clips in the order they came; SourceUnknownError names near ids."""
        with self._store.reading() as db:
            return enrolment.read_clips(db, source)

    def counts(self) -> dict[str, int]:
        """How many clips each source has, by id; 0 for a card alone."""
        with self._store.reading() as db:
            return enrolment.count_clips(db)

    def remove(self, source: str, clip_sha256: str | None = None) -> int:
        """Remove a source with its card, or one clip of it by either of its digests; returns the rows removed.

        Raises:
            SourceUnknownError: No such source; the text names near ids.
            RegistryError: The source has no such clip.
        """
        with self._store.writing() as db:
            rows, spaces = enrolment.delete(db, source, clip_sha256)
            revision = store.note(db, "remove", {"source": source, "sha256": clip_sha256, "rows": rows})
            rows_changed(db, spaces, revision)
        return rows

    def gallery(self, space: str) -> Gallery:
        """The rows of a space as they are now; the same object until they change, in whatever process.

        Raises:
            SpaceMismatchError: No model of the registry has that space.
        """
        held = self._galleries.get(space)
        with self._store.reading() as db:
            _, dimension, revision = space_row(db, space)
            if held is not None and held.rows.revision == revision:
                return held
            index = held.index if held else self._index(space, dimension)
            self._galleries[space] = read_gallery(db, space, index)
            return self._galleries[space]

    def save_calibration(self, task: Task, data: Mapping[str, Any]) -> None:
        """Keep a task's calibration (plain data) beside the earlier ones; RegistryError without a model for it."""
        with self._store.writing() as db:
            calibrations.save(db, task, data)

    def calibration(self, task: Task) -> dict[str, Any] | None:
        """The newest calibration of a task, as it was saved."""
        with self._store.reading() as db:
            return calibrations.newest(db, task)

    def calibration_is_current(self, task: Task) -> bool:
        """Whether the task was calibrated, and none of its models came and none of their rows changed since."""
        with self._store.reading() as db:
            return calibrations.is_current(db, task)

    def save_state(self, space: str, digest: str, arrays: Arrays) -> None:
        """Cache what a scorer (named by `digest`) fitted on the gallery last given; a read-only registry keeps none."""
        if not self.read_only:
            held = self._galleries.get(space) or self.gallery(space)
            write_state(self._state_file(space, digest), arrays, held.rows.stamp)

    def load_state(self, space: str, digest: str) -> dict[str, NDArray[Any]] | None:
        """What `save_state` kept, or None when the rows have changed since, or the file is torn or absent."""
        with self._store.reading() as db:
            space_row(db, space)
            present = store.stamp(db, space)
        return read_state(self._state_file(space, digest), present)

    def record(self, what: str, detail: Mapping[str, Any]) -> None:
        """Add to the history something that was asked or answered; the version stays."""
        with self._store.writing() as db:
            store.record(db, what, detail)

    def history(self, limit: int = 100) -> tuple[dict[str, Any], ...]:
        """The newest entries, newest first: id, at, version, what, detail. None is ever changed or removed."""
        with self._store.reading() as db:
            return store.history(db, limit)

    def stats(self) -> dict[str, Any]:
        """Counts: sources, clips, rows by space, bytes on disk; and name, version and index."""
        with self._store.reading() as db:
            return checks.statistics(db, self.folder)

    def verify(self) -> list[str]:
        """Every fault that can be found, a line each; [] is sound."""
        try:
            with self._store.reading() as db:
                faults = checks.stored_faults(db, self.folder / "models")
            spaces = [] if faults else [model.space for model in self.models()]
            return faults + [fault for space in spaces for fault in checks.index_faults(self.gallery(space))]
        except RegistryDamagedError as error:
            return [str(error)]

    def export(self, sources: Sequence[str] | None, file: Path) -> None:
        """Write sources (None: all) with cards, clips and vectors to one file; SourceUnknownError names near ids."""
        with self._store.reading() as db:
            chosen = [card.id for card in enrolment.read_cards(db, None)] if sources is None else sorted(set(sources))
            content = bundle.collect(db, chosen)
        bundle.write(content, file)

    def import_bundle(self, file: Path) -> int:
        """Add the sources of an exported file, all or none; returns how many clips were new.

        Raises:
            BundleError: The file is torn, changed or no bundle.
            SpaceMismatchError: Its vectors are of another model than this registry's.
            RegistryError: It lacks vectors for one of this registry's models.
            ClipConflictError: One of its clips is enrolled here as another source.
        """
        content = bundle.read(file)
        with self._store.writing() as db:
            return bundle.add(db, content, file.name)

    def _index(self, space: str, dimension: int) -> SpaceIndex:
        """The derived index of a space."""
        file = self.folder / "index" / f"{space}.faiss"
        return SpaceIndex(file, self._factory, dimension, trusted=self._was_at, keeps=not self.read_only)

    def _was_at(self, stamp: str) -> bool:
        """Whether a stamp is of this registry's past."""
        with self._store.reading() as db:
            return store.has_stamp(db, stamp)

    def _state_file(self, space: str, digest: str) -> Path:
        """Where a scorer's fitted state lies."""
        return self.folder / "index" / f"{space}.{checked_name(digest)}.safetensors"
