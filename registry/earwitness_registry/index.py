"""The FAISS index of one space: derived from the truth, so it may be lost, torn or old at any time.

A row's id in the index is its id in SQLite, which is never used twice, and a row never changes. So a snapshot that
this registry once wrote needs only its high-water mark to be brought up to date: rows gone since are taken out, rows
above the mark are added. Anything that doesn't fit is built anew.

Douze et al., "The Faiss library", 2024. https://arxiv.org/abs/2401.08281
"""

import json
import threading
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from earwitness_registry.errors import RegistryError
from earwitness_registry.files import sha256, write_whole
from earwitness_registry.vectors import FloatArray, IntArray

POINTS_PER_CODEWORD = 39  # what FAISS' own k-means asks for before it warns
PROBES = 16
EF_SEARCH = 64
BLAS_FROM = 1500
GPU_MOST = 2048  # neighbours that FAISS on a GPU can return
LAG = 0.05  # the part of the rows that may change before the snapshot is written again


@cache
def load_faiss() -> Any:
    """FAISS, imported when an index is first needed: it costs a tenth of a second."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "builtin type .* has no __module__ attribute", DeprecationWarning)
        import faiss
    # Queries x dimension from which BLAS pays: FAISS' default leaves batches of 8 to 512 without it, a lower value
    # makes a single query ten times slower. (An older FAISS counts queries only; its default of 20 is right.)
    faiss.cvar.distance_compute_blas_threshold = min(BLAS_FROM, faiss.cvar.distance_compute_blas_threshold)
    return faiss


def check_factory(factory: str, dimension: int) -> None:
    """Raise RegistryError unless FAISS can make such an index of that dimension."""
    if factory == "Flat":
        return
    faiss = load_faiss()
    try:
        faiss.index_factory(dimension, factory, faiss.METRIC_INNER_PRODUCT)
    except RuntimeError as error:
        raise RegistryError(
            f"FAISS can't make an index {factory!r} of dimension {dimension}: try Flat, HNSW32 or 'IVF1024,SQ8'"
        ) from error


def buildable(factory: str, dimension: int, rows: int) -> str:
    """The factory string to build by: 'Flat' until there are 39 rows for each codeword to be trained."""
    if factory == "Flat":
        return factory
    faiss = load_faiss()
    layers = _layers(faiss.index_factory(dimension, factory, faiss.METRIC_INNER_PRODUCT))
    lists = [layer.nlist for layer in layers if isinstance(layer, faiss.IndexIVF)]
    codewords = [layer.pq.ksub for layer in layers if hasattr(layer, "pq")]
    codewords += [256] if factory.startswith("OPQ") else []  # the rotation is learned with a PQ of its own
    return factory if rows >= POINTS_PER_CODEWORD * max(lists + codewords, default=0) else "Flat"


def on_gpus(faiss: Any, index: Any) -> Any:
    """The index on every GPU that FAISS sees; as it is when there is none, or no such index on GPUs."""
    if getattr(faiss, "get_num_gpus", int)() == 0:
        return index
    try:
        return faiss.index_cpu_to_all_gpus(index)
    except RuntimeError:
        return index


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The rows of one space at one moment: `ids` (N,) ascending, `embeddings` (N, d) unit.

    `revision` is the registry's version that last changed them, `stamp` names it beyond doubt.
    """

    ids: IntArray
    embeddings: FloatArray
    revision: int
    stamp: str


class SpaceIndex:
    """The index of one space, kept in step with the gallery that is searched.

    `file` is where its snapshot lies; without `keeps` it is read and never written. `trusted` tells whether
    a stamp is of this registry's past.
    """

    def __init__(
        self, file: Path, factory: str, dimension: int, *, trusted: Callable[[str], bool], keeps: bool
    ) -> None:
        self.file = file
        self.factory = factory
        self.dimension = dimension
        self._trusted = trusted
        self._keeps = keeps
        self._lock = threading.Lock()
        self._kind = ""
        self._index: Any = None
        self._searcher: Any = None
        self._high_water = 0
        self._revision = -1
        self._unsaved = 0

    def search(self, rows: Rows, queries: FloatArray, k: int) -> tuple[FloatArray, IntArray] | None:
        """Inner products (B, k) and ids (B, k), -1 where an approximate index finds too few.

        None when the index has moved on to later rows.
        """
        with self._lock:
            if rows.revision < self._revision:
                return None
            if rows.revision > self._revision:
                self._catch_up(rows)
            searcher = self._searcher if k <= GPU_MOST else self._index
            similarities, ids = searcher.search(queries, k)
            return similarities, ids

    def faults(self, rows: Rows) -> list[str]:
        """What is wrong with the snapshot on disk; [] also when there is none, for it can be built anew."""
        if not self._label.exists():
            return []
        held = self._read(rows.revision)
        if held is None:
            return [f"index snapshot {self.file.name} is torn or not of this registry: the next search builds it anew"]
        _, index, high_water = held
        old = rows.ids[rows.ids <= high_water]
        if not _holds_only(index, old):
            return [f"index snapshot {self.file.name} contradicts the rows: the next search builds it anew"]
        return []

    def _catch_up(self, rows: Rows) -> None:
        """Make the index hold exactly these rows, at the least cost."""
        kind = buildable(self.factory, self.dimension, len(rows.ids))
        if self._index is None:
            self._kind, self._index, self._high_water = self._read(rows.revision) or ("", None, 0)
        if self._kind != kind or not self._extend(rows):
            self._kind, self._index, self._unsaved = kind, _built(kind, rows), len(rows.ids)
        self._revision, self._high_water = rows.revision, int(rows.ids[-1])
        self._searcher = on_gpus(load_faiss(), self._index)
        if self._keeps and self._unsaved > LAG * len(rows.ids):
            self._write(rows)
            self._unsaved = 0

    def _extend(self, rows: Rows) -> bool:
        """Take out the rows that are gone and add the new ones; False when the index can't be brought there."""
        old = int(np.searchsorted(rows.ids, self._high_water, "right"))
        gone = self._index.ntotal - old
        if not _holds_only(self._index, rows.ids[:old]):
            return False
        if old < len(rows.ids):
            self._index.add_with_ids(rows.embeddings[old:], rows.ids[old:])
        self._unsaved += gone + len(rows.ids) - old
        return True

    @property
    def _label(self) -> Path:
        """The JSON beside the snapshot that says what it must be."""
        return self.file.with_suffix(".json")

    def _read(self, revision: int) -> tuple[str, Any, int] | None:
        """The snapshot's kind, index and high-water mark, if it is whole, of this registry's past and no later."""
        try:
            label = json.loads(self._label.read_bytes())
            data = self.file.read_bytes()
            if label["revision"] > revision or not self._trusted(label["stamp"]) or sha256(data) != label["sha256"]:
                return None
            index = load_faiss().deserialize_index(np.frombuffer(data, np.uint8))
            if (index.ntotal, index.d) != (label["rows"], self.dimension):
                return None
            return label["factory"], _tuned(index), label["high_water"]
        except (OSError, ValueError, KeyError, TypeError, RuntimeError):
            return None

    def _write(self, rows: Rows) -> None:
        """Leave a snapshot; the label goes first and comes last, so that a kill leaves none and not a wrong one."""
        data = load_faiss().serialize_index(self._index).tobytes()
        label = {
            "factory": self._kind,
            "rows": len(rows.ids),
            "high_water": self._high_water,
            "revision": rows.revision,
            "stamp": rows.stamp,
            "sha256": sha256(data),
        }
        with suppress(OSError):  # a full disk mustn't keep a search from its answer
            self._label.unlink(missing_ok=True)
            write_whole(self.file, data)
            write_whole(self._label, json.dumps(label, indent=1).encode())


def _built(kind: str, rows: Rows) -> Any:
    """A new index of the rows, trained on them where it has something to learn."""
    faiss = load_faiss()
    index = faiss.index_factory(rows.embeddings.shape[1], kind, faiss.METRIC_INNER_PRODUCT)
    layers = _layers(index)
    # An IVF keeps ids itself, and a map around it would lose step when rows are removed.
    if not isinstance(layers[-1], faiss.IndexIVF) or hasattr(layers[0], "base_index"):
        index = faiss.IndexIDMap2(index)
    index.train(rows.embeddings)
    index.add_with_ids(rows.embeddings, rows.ids)
    return _tuned(index)


def _tuned(index: Any) -> Any:
    """The index, set to look at enough of itself: FAISS' defaults favour speed over recall."""
    faiss = load_faiss()
    for layer in _layers(index):
        if isinstance(layer, faiss.IndexIVF):
            layer.nprobe = min(PROBES, layer.nlist)
        elif isinstance(layer, faiss.IndexHNSW):
            layer.hnsw.efSearch = EF_SEARCH
    return index


def _layers(index: Any) -> list[Any]:
    """An index and what it wraps, outermost first."""
    layer = load_faiss().downcast_index(index)
    inner = [getattr(layer, name) for name in ("index", "base_index", "storage") if hasattr(layer, name)]
    return [layer, *(_layers(inner[0]) if inner else [])]


def _holds_only(index: Any, ids: IntArray) -> bool:
    """Take every row out of the index but `ids`; False when it can't remove (HNSW) or lacks one of them."""
    faiss = load_faiss()
    if index.ntotal != len(ids):
        batch = faiss.IDSelectorBatch(ids)
        try:
            index.remove_ids(faiss.IDSelectorNot(batch))
        except RuntimeError:
            return False
    return bool(index.ntotal == len(ids))
