"""What the open-set rules cost as a registry grows: seconds to fit, and milliseconds to score a clip's windows.

    python benchmarks/scale.py --size 1x3 --size 100x10000 --size 10000x1000000 --out F.json [--scorer knn ...]

A size is sources x rows. Rows are made up: unit vectors of `--dims` dimensions about a direction for each source.
Neighbours come from FAISS, exact inner products (faiss.IndexFlatIP), as in a registry. One process, as many threads as
OMP_NUM_THREADS says. Peak memory is that of the process until then.
"""

import json
import resource
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import faiss
import numpy as np
import typer

from earwitness.contracts import Scorer
from earwitness.plugins import load_catalogue
from earwitness.subset import Subset
from earwitness.types import FloatArray, IntArray

QUERIES = 4
"""Windows of a clip."""


@dataclass(slots=True)
class Rows(Subset):
    """Rows in memory with a flat FAISS index; four rows a clip, eight a cell."""

    index: Any

    @classmethod
    def made(cls, sources: int, rows: int, dims: int) -> "Rows":
        """Rows about their sources' directions."""
        rng = np.random.default_rng(0)
        centres = rng.standard_normal((sources, dims), np.float32)
        labels = np.sort(np.arange(rows) % sources)
        embeddings = centres[labels]
        embeddings += rng.standard_normal(embeddings.shape, np.float32)
        faiss.normalize_L2(embeddings)
        index = faiss.IndexFlatIP(dims)
        index.add(embeddings)
        at = np.arange(rows)
        names = tuple(f"s{k}" for k in range(sources))
        cells = np.unique(np.stack([labels, at // 8]), axis=1, return_inverse=True)[1].reshape(-1)
        return cls(names, np.zeros((sources, dims), np.float32), embeddings, labels, at // 4, cells, index)

    def search(self, queries: FloatArray, k: int) -> tuple[FloatArray, IntArray]:
        """The k nearest rows."""
        return self.index.search(np.ascontiguousarray(queries, np.float32), min(k, len(self.labels)))


def timed(scorer: Scorer, rows: Rows, repeats: int = 5) -> dict[str, float]:
    """Seconds to fit; milliseconds to score, the least of some; the process's peak memory in GB."""
    began = perf_counter()
    state = scorer.fit(rows)
    fitted = perf_counter() - began
    queries, scored = rows.embeddings[:QUERIES].copy(), []
    for _ in range(repeats):
        began = perf_counter()
        scorer.score(state, rows, queries)
        scored.append(perf_counter() - began)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    state_mb = sum(array.nbytes for array in state.values()) / 1e6
    return {"fit_s": fitted, "score_ms": 1000 * min(scored), "state_mb": state_mb, "peak_gb": peak}


def main(
    size: Annotated[list[str], typer.Option(help="Sources x rows, as 100x10000; may be repeated.")],
    out: Annotated[Path, typer.Option(help="JSON to write.")],
    scorer: Annotated[list[str] | None, typer.Option(help="Default: all; may be repeated.")] = None,
    dims: Annotated[int, typer.Option(help="Of the embeddings.")] = 64,
) -> None:
    """Measure and write the figures."""
    catalogue = load_catalogue()
    names = scorer or [each for each in catalogue.names("scorer") if hasattr(catalogue.get("scorer", each), "score")]
    results: dict[str, dict[str, Any]] = {}
    for each in size:
        sources, rows = map(int, each.split("x"))
        gallery = Rows.made(sources, rows, dims)
        results[each] = {}
        for name in names:
            results[each][name] = found = timed(catalogue.get("scorer", name)(), gallery)
            typer.echo(f"{each} {name}: " + ", ".join(f"{key} {value:.3g}" for key, value in found.items()))
            out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
