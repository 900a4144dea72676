"""`earwitness bench`: recipes side by side."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from earwitness.cli.options import DeviceOption, Json, Manifest, listed
from earwitness.cli.printing import print_json, print_table, say, tell_failures

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["bench"]

SHOWN = ("accuracy", "macro_f1_known", "macro_f1_open", "auroc", "oscr")


def bench(
    manifest: Manifest,
    out: Annotated[Path, Option("--out", help="Folder for bench.json, bench.md, bench.html.", show_default=False)],
    recipes: Annotated[
        list[str] | None,
        Argument(
            metavar="RECIPE...",
            help="Names of pipelines (see 'plugins list'), YAML files, or folders of models that are trained already; "
            "default all pipelines for the manifest's tasks.",
            show_default=False,
        ),
    ] = None,
    conditions: Annotated[
        str,
        Option("--conditions", metavar="NAME,...", help="Test under these, or under 'all': see 'evaluate --help'."),
    ] = "clean",
    seeds: Annotated[int, Option("--seeds", min=1, help="Train so often, with the seeds 0, 1, ...")] = 1,
    quick: Annotated[
        bool, Option("--quick", help="Take NAME-quick, the variant for two cores, of each pipeline that has one.")
    ] = False,
    limit: Annotated[
        float, Option("--limit", min=0.0, max=1.0, help="The share of each source's clips that takes part.")
    ] = 1.0,
    far: Annotated[float, Option("--far", min=0.0, max=1.0, help="Share of strangers that may be accepted.")] = 0.05,
    unknown_column: Annotated[
        str | None,
        Option(
            "--unknown-column", help="A column that is 1 for clips of sources to count as unknown.", show_default=False
        ),
    ] = None,
    allow_leak: Annotated[
        bool, Option("--allow-leak", help="Go on though groups span splits; output is stamped.")
    ] = False,
    device: DeviceOption = "cpu",
    json: Json = False,
) -> None:
    """Train, enrol, calibrate and test recipes on the same clips, side by side; a killed run goes on where it stood."""
    from earwitness.bench import bench as run
    from earwitness.manifest import read_manifest

    found = run(
        recipes or (),
        read_manifest(manifest),
        out,
        conditions=listed(conditions),
        seeds=seeds,
        quick=quick,
        limit=limit,
        far=far,
        unknown_column=unknown_column,
        allow_leak=allow_leak,
        device=device,
    )
    if json:
        print_json(found)
    else:
        _print(found)
        say(f"report {out / 'bench.html'}")
    failed = [row for row in found["rows"] if "error" in row]
    tell_failures(len(failed), len(found["rows"]), f"{failed[0]['recipe']}: {failed[0]['error']}" if failed else None)


def _print(found: "Mapping[str, Any]") -> None:
    """A line a row that was measured."""
    rows = [
        (row["condition"], row["recipe"], row["seed"], *(_told(row["figures"].get(name)) for name in SHOWN), _ms(row))
        for row in found["rows"]
        if "error" not in row
    ]
    print_table(("condition", "recipe", "seed", *SHOWN, "ms a clip"), rows)


def _ms(row: "Mapping[str, Any]") -> str:
    return f"{row['cost']['ms_per_clip']:.1f}"


def _told(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
