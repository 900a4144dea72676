"""Commands that learn from a manifest: train, calibrate, evaluate."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from earwitness.cli.options import DeviceOption, Json, Manifest, RegistryFolder, listed
from earwitness.cli.printing import claim, print_json, print_table, progress, say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["calibrate", "evaluate", "train"]

BESIDE = ("accuracy", "macro_f1_open", "auroc", "fpr95", "oscr", "far_realised", "family_right")
"""What is compared from condition to condition, and of strangers near and far."""


def train(
    pipeline: Annotated[str, Argument(help="A pipeline's name (see 'plugins list') or a YAML file.")],
    manifest: Manifest,
    out: Annotated[Path, Option("--out", help="Model folder to make.", show_default=False)],
    epochs: Annotated[
        int | None, Option("--epochs", min=1, help="In place of the pipeline's own.", show_default=False)
    ] = None,
    seed: Annotated[int, Option("--seed", help="Same seed, same weights (on a CPU).")] = 0,
    device: DeviceOption = "cpu",
    settings: Annotated[
        list[str] | None,
        Option(
            "--set", metavar="KEY=VALUE", help="Change a parameter, e.g. embedder.resnet18.width=8.", show_default=False
        ),
    ] = None,
    start: Annotated[
        Path | None,
        Option(
            "--start",
            metavar="MODEL_DIR",
            help="Begin with the weights of a model of the same frontend and embedder.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Train a pipeline's embedder, or those of all its experts; a killed run goes on where it stopped."""
    from earwitness.errors import OptionError
    from earwitness.loading import load_experts
    from earwitness.manifest import read_manifest
    from earwitness.plugins import load_catalogue
    from earwitness.training import train as run
    from earwitness.training.experts import expert_folders, finished

    experts, clips = load_experts(pipeline, load_catalogue(), tuple(settings or ())), read_manifest(manifest)
    if epochs:
        experts = tuple(replace(each, training=replace(each.training, epochs=epochs)) for each in experts)
    if start and len(experts) > 1:
        raise OptionError(f"--start is for one network, and {pipeline} has several experts: train them one by one")
    folders = expert_folders(experts, out)
    ready = {folder for folder, expert in folders.items() if finished(folder, expert)}
    for folder, expert in folders.items():
        if folder in ready and len(ready) < len(folders):
            say(f"{folder} is finished; going on with the next")
        else:
            run(expert, clips, folder, seed=seed, device=device, start=start)
    say(f"model {out}: make a registry with it by 'earwitness registry init --model {out}'")


def calibrate(
    manifest: Manifest,
    split: Annotated[str, Option("--split", help="The split that holds development clips.")] = "dev",
    registry: RegistryFolder = None,
    far: Annotated[float, Option("--far", min=0.0, max=1.0, help="Share of strangers that may be accepted.")] = 0.05,
    json: Json = False,
) -> None:
    """Set thresholds and probabilities on development clips of enrolled sources and of strangers."""
    from earwitness.engine import open_engine
    from earwitness.evaluation import calibrate_registry
    from earwitness.manifest import read_manifest

    with open_engine(claim(registry)) as engine:
        reports = calibrate_registry(engine, read_manifest(manifest).select(split=split), far)
    if json:
        print_json(reports)
    else:
        for report in reports:
            print_table(("calibration", ""), list(report.items()))


def evaluate(
    manifest: Manifest,
    out: Annotated[
        Path, Option("--out", help="Folder for metrics.json, predictions.jsonl, report.html.", show_default=False)
    ],
    split: Annotated[str, Option("--split", help="The split to test on.")] = "test",
    registry: RegistryFolder = None,
    unknown_column: Annotated[
        str | None,
        Option(
            "--unknown-column", help="A column that is 1 for clips of sources to count as unknown.", show_default=False
        ),
    ] = None,
    by: Annotated[
        list[str] | None, Option("--by", help="Report by the values of this column too.", show_default=False)
    ] = None,
    resample: Annotated[
        str | None,
        Option(
            "--resample",
            help="Draw intervals by this column within sources; default the voice (speaker, voice, corpus) or text_id.",
            show_default=False,
        ),
    ] = None,
    conditions: Annotated[
        str | None,
        Option(
            "--conditions",
            metavar="NAME,...",
            help="Measure again after these, or after 'all': clean, mp3, aac, opus, amr, telephone, noise20, noise10, "
            "1s, 3s, 5s, 10s.",
            show_default=False,
        ),
    ] = None,
    allow_leak: Annotated[
        bool, Option("--allow-leak", help="Go on though groups span splits; output is stamped.")
    ] = False,
    json: Json = False,
) -> None:
    """Measure open-set attribution on test clips; the threshold stays the one from development."""
    from earwitness.engine import open_engine
    from earwitness.evaluation import evaluate_registry
    from earwitness.manifest import read_manifest

    with open_engine(registry) as engine:
        results = evaluate_registry(
            engine,
            read_manifest(manifest),
            out,
            split=split,
            unknown_column=unknown_column,
            by=tuple(by or ()),
            resample=resample,
            conditions=listed(conditions),
            allow_leak=allow_leak,
            progress=progress,
        )
    for figures in results:
        if figures["shortcut_warning"]:
            say(figures["shortcut_warning"])
    if json:
        print_json(results)
        return
    for figures in results:
        _print_figures(figures)
    say(f"report {out / 'report.html'}")


def _print_figures(figures: "Mapping[str, Any]") -> None:
    """Every figure with its interval, then strangers near and far and the conditions, side by side."""
    intervals = figures["intervals"]
    told = [(name, value) for name, value in figures.items() if name in intervals or isinstance(value, float)]
    rows = [(name, _told(value), _span(intervals.get(name, (None,)))) for name, value in told]
    print_table(("metric", str(figures["task"]), "95 % interval"), rows)
    for title, parts in (("strangers", figures["unknowns"]), ("condition", figures["conditions"])):
        names = [name for name in BESIDE if any(name in part for part in parts.values())]
        if parts:
            print()
            rows = [(part, *(_told(found.get(name)) for name in names)) for part, found in parts.items()]
            print_table((title, *names), rows)


def _told(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _span(ends: "Sequence[float | None]") -> str:
    return "" if None in ends else " to ".join(map(_told, ends))
