"""Exact and approximate search against the bare FAISS call, as medians of interleaved runs.

    python benchmarks/search.py [--million]

Rows are unit vectors around 1,000 centres. 'default' is `IndexFlatIP.search` with FAISS as imported; ours is
`Gallery.search` with its checks and its row numbers. Run with OMP_NUM_THREADS=1. `--million` adds IVF-SQ8 against
flat at 1e6 rows (3 GB of memory, some minutes).
"""

import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import faiss
import numpy as np
from stopwatch import interleaved

from earwitness_registry import Gallery
from earwitness_registry.index import Rows, SpaceIndex
from earwitness_registry.vectors import FloatArray

DIMENSION, K, CENTRES, SPREAD = 128, 10, 1000, 0.08
DEFAULT = faiss.cvar.distance_compute_blas_threshold


def unit(rows: int, seed: int) -> FloatArray:
    """Unit vectors (rows, 128) around the centres."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(0).standard_normal((CENTRES, DIMENSION), dtype=np.float32)
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    vectors: FloatArray = centres[rng.integers(CENTRES, size=rows)]
    vectors += SPREAD * rng.standard_normal(vectors.shape, dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def gallery(vectors: FloatArray, kind: str, folder: Path) -> Gallery:
    """A gallery of one source over an index of that kind."""
    total = len(vectors)
    rows = Rows(np.arange(1, total + 1), vectors, 1, "")
    index = SpaceIndex(folder / "space.faiss", kind, DIMENSION, trusted=lambda _: False, keeps=False)
    nought = np.zeros(total, np.int64)
    return Gallery(("source",), rows, nought, nought, nought, ("clip",), index)


def by_default(index: faiss.Index, queries: FloatArray) -> Callable[[], object]:
    """The bare call with FAISS' own threshold for BLAS, and ours put back."""

    def search() -> None:
        ours = faiss.cvar.distance_compute_blas_threshold
        faiss.cvar.distance_compute_blas_threshold = DEFAULT
        index.search(queries, K)
        faiss.cvar.distance_compute_blas_threshold = ours

    return search


def compare_exact(folder: Path) -> None:
    """Print a line for each batch at 1e5 rows."""
    vectors = unit(100_000, 1)
    held, bare = gallery(vectors, "Flat", folder), faiss.IndexFlatIP(DIMENSION)
    bare.add(vectors)
    held.search(vectors[:1], K)
    for batch, rounds in ((1, 201), (32, 15), (512, 7)):
        queries = unit(batch, 2)
        jobs = {"ours": partial(held.search, queries, K), "default": by_default(bare, queries)}
        ours, default = interleaved(jobs, rounds).values()
        print(f"| Flat, 1e5 rows, batch {batch} | {1e3 * ours:.2f} | {1e3 * default:.2f} | {default / ours:.2f} | 1 |")


def compare_approximate(folder: Path) -> None:
    """Print the line of IVF-SQ8 at 1e6 rows, one query at a time, with its recall of the ten nearest."""
    vectors, queries = unit(1_000_000, 1), unit(200, 2)
    exact = faiss.IndexFlatIP(DIMENSION)
    exact.add(vectors)
    held = gallery(vectors, "IVF1024,SQ8", folder)
    found, true = held.search(queries, K)[1], exact.search(queries, K)[1]
    recall = np.mean([len(set(a) & set(b)) / K for a, b in zip(found, true, strict=True)])
    one = queries[:1]
    jobs = {"ours": partial(held.search, one, K), "flat": by_default(exact, one)}
    ours, flat = interleaved(jobs, 51).values()
    print(
        f"| IVF1024,SQ8, 1e6 rows, batch 1 | {1e3 * ours:.2f} | {1e3 * flat:.2f} | {flat / ours:.1f} | {recall:.3f} |"
    )


def main() -> None:
    """Print the table."""
    faiss.omp_set_num_threads(1)
    print("| index | ms | ms of bare flat FAISS, default | times as fast | recall@10 |")
    print("| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        compare_exact(Path(folder))
        if "--million" in sys.argv[1:]:
            compare_approximate(Path(folder))


if __name__ == "__main__":
    main()
