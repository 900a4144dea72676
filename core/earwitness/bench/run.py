"""`bench`: recipes x seeds x conditions, a row each; bench.json, bench.md, bench.html."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from earwitness.bench.attempt import Attempt
from earwitness.bench.ground import Ground, asked, called, fitting, model_of, quickened, share_of
from earwitness.bench.machine import stamp
from earwitness.bench.page import write_page
from earwitness.bench.progress import Bar
from earwitness.bench.tables import write_markdown
from earwitness.errors import EarwitnessError, OptionError
from earwitness.evaluation.conditions import choose_conditions
from earwitness.evaluation.protocol import found_leaks, require
from earwitness.manifest import Manifest
from earwitness.network import Device
from earwitness.plotting import load_pyplot
from earwitness.plugins import load_catalogue, told
from earwitness_registry.files import claimed, file_sha256, write_whole

__all__ = ["bench"]

Row = dict[str, Any]


def bench(
    recipes: Sequence[str],
    manifest: Manifest,
    out: Path,
    *,
    conditions: Sequence[str] = (),
    seeds: int = 1,
    quick: bool = False,
    limit: float = 1.0,
    far: float = 0.05,
    unknown_column: str | None = None,
    allow_leak: bool = False,
    device: Device = "cpu",
    quiet: bool = False,
) -> dict[str, Any]:
    """Measure recipes side by side, and write what was found into `out`.

    Each is trained on split `train`, watched by `dev`, its registry filled from `train` and calibrated on `dev`, and
    tested on `test`. A row that is there from a killed run, of the same clips, machine and versions, is not measured
    again. A recipe that fails is a row that says why. Where all clips are of one task, every recipe is put to that.
    A model that is trained already is asked as it is.

    Args:
        recipes: Names of pipelines, YAML files or folders of models; none = all pipelines registered for the tasks of
            the manifest.
        manifest: All splits.
        out: A folder; made where it is missing.
        conditions: What happens to test clips, by name, or 'all'; none = clean alone.
        seeds: How many seeds, from 0 on; of a model that is trained there is one.
        quick: Take the variant for two cores, NAME-quick, of each registered pipeline that has one.
        limit: The share of each source's clips that takes part.
        far: The share of strangers that calibration may let pass.
        unknown_column: A column that is 1 for clips to count as strangers, whatever made them.
        allow_leak: Go on though groups span splits; the output says so.
        device: Where networks run.
        quiet: Whether to show no progress.

    Raises:
        ManifestError: groups span splits, or a column is missing.
        OptionError: there is no such condition, this machine lacks its codec, or another bench writes into `out`.
        MissingExtraError: what draws the page isn't there; said before the work, not after it.
    """
    load_pyplot()
    catalogue, part = load_catalogue(), share_of(manifest, limit)
    grid = choose_conditions(conditions or ("clean",), catalogue)
    if unknown_column:
        require(part, unknown_column, "--unknown-column")
    leaks = found_leaks(part, allow_leak)
    ground = Ground(part, out, grid, catalogue, stamp(), limit, far, unknown_column, leaks, device)
    with _alone(out):
        names = recipes or fitting(catalogue, part)
        rows = _rows(ground, quickened(names, catalogue) if quick else names, seeds, quiet)
        found = {**_origin(ground, manifest), "rows": rows}
        write_whole(out / "bench.json", json.dumps(found, indent=2, allow_nan=False).encode())
        write_markdown(out / "bench.md", found)
        write_page(out / "bench.html", found)
    return found


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """While it lasts nobody else measures into `out`; the lock goes with the process, however that ends."""
    out.mkdir(parents=True, exist_ok=True)
    with (out / "lock").open("w") as lock:
        if not claimed(lock):
            raise OptionError(f"another bench is writing into {out}: wait for it, or choose another folder")
        yield


def _origin(ground: Ground, manifest: Manifest) -> dict[str, Any]:
    """What the rows rest on."""
    return {
        "manifest": str(manifest.path),
        "manifest_sha256": file_sha256(manifest.path),
        "limit": ground.limit,
        "far": ground.far,
        "clips": len(ground.manifest.rows),
        "conditions": list(ground.conditions),
        "leaks": list(ground.leaks),
        "machine": dict(ground.stamp),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _rows(ground: Ground, recipes: Sequence[str], seeds: int, quiet: bool) -> list[Row]:
    """A row for each recipe, seed and condition, in this order."""
    attempts, faults = [], {}
    for recipe in dict.fromkeys(recipes):
        try:
            experts = asked(recipe, ground.manifest, ground.catalogue)
        except EarwitnessError as error:
            faults[recipe, 0] = str(error)
        else:
            drawn = 1 if model_of(recipe, ground.catalogue) else seeds
            attempts += [Attempt(ground, recipe, experts, seed) for seed in range(drawn)]
    with Bar(sum(len(each.missing) for each in attempts), quiet) as bar:
        for attempt in attempts:
            if attempt.missing and (fault := _fault(attempt, bar)):
                faults[attempt.recipe, attempt.seed] = fault
                bar.advance(len(attempt.missing))
    measured = [json.loads(each.cell(name).read_text("utf-8")) for each in attempts for name in _done(each)]
    return [*measured, *(_failed(ground, *who, fault) for who, fault in faults.items())]


def _done(attempt: Attempt) -> list[str]:
    """The conditions that have a row."""
    return [name for name in attempt.ground.conditions if name not in attempt.missing]


def _fault(attempt: Attempt, bar: Bar) -> str | None:
    """Measure what is missing; why that fails, if it does."""
    bar.turn(f"{attempt.recipe}, seed {attempt.seed}")
    try:
        attempt.measure(bar)
    except EarwitnessError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - a recipe is made of plugins, which may raise anything at all
        return told(error)
    return None


def _failed(ground: Ground, recipe: str, seed: int, fault: str) -> Row:
    """The row of a recipe that fails, whatever the condition."""
    command = ground.command(recipe, seed, ",".join(ground.conditions))
    return {"recipe": called(recipe, ground.catalogue), "seed": seed, "command": command, "error": fault}
