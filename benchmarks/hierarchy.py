"""Near kin: what is said of an unenrolled version of a family that is enrolled, with and without a naming threshold.

    python benchmarks/hierarchy.py --engines ENGINES --voices VOICES --cache DIR --out F.json

ENGINES and VOICES are folders with a manifest.csv. Each version is left out of training, registry and development in
turn, the registry calibrated as a user's would be, and the version's clips put to it beside those of what is enrolled.
Engines: a version is an engine, families are those of the cards. Voices: a family is a vocoder, a version the chains of
one acoustic model over it; once with three fifths of the pages enrolled, one in development and one in the test, once
with every page in all three, which tells of clips of one page and of nothing else. Intervals resample sources and their
voices, or pages. `benchmarks/hierarchy_tables.py` prints the tables.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import numpy as np
import typer
from hierarchy_trials import Trial, across_pages, engines, judges, listened, within_pages
from numpy.typing import NDArray

from earwitness.calibration import Calibration
from earwitness.deciding import Judge
from earwitness.errors import CalibrationError
from earwitness.evaluation.development import calibrate_judge
from earwitness.evaluation.intervals import draws, interval
from earwitness.evaluation.scoring import Scored, score
from earwitness.fusion import STRANGER
from earwitness.loading import load_pipeline
from earwitness.manifest import read_manifest
from earwitness.plugins import load_catalogue
from earwitness.types import IntArray

SCORERS = ("plda", "rmds")
FALSE_ACCEPTANCE = 0.05
DRAWS = 300

Column = NDArray[np.float64]


@dataclass(frozen=True)
class Said:
    """What a judge said of n clips: `columns` of n figures by name, and the `groups` (n,) each clip is of, by level.

    `strange` tells clips of the version left out, `borne` those of a family that bears a naming threshold.
    """

    left: str
    strange: NDArray[np.bool_]
    borne: NDArray[np.bool_]
    groups: tuple[NDArray[np.str_], ...]
    columns: Mapping[str, Column]


def put(trial: Trial) -> Iterable[tuple[str, Said]]:
    """By scorer what is said of the clips tested; nothing where calibration refuses."""
    offered = [load_catalogue().get("scorer", name)() for name in SCORERS]
    with TemporaryDirectory() as folder:
        for judge in judges(trial, offered, Path(folder)):
            space = judge.models[0].space
            try:
                calibration, _ = calibrate_judge(judge, listened(trial.dev, space), FALSE_ACCEPTANCE)
            except CalibrationError as error:
                typer.echo(f"{trial.left}: {error}", err=True)
                continue
            test = score(judge, listened(trial.test, space), verdicts=False)
            yield judge.models[0].pipeline.scorer.name, said(trial, judge, calibration, test)


def said(trial: Trial, judge: Judge, calibration: Calibration, test: Scored) -> Said:
    """What the clips tested are called, without the naming threshold and with it."""
    family = np.array([trial.families.get(source, source) for source in judge.sources])  # (K,)
    truth = np.array([trial.families.get(row.source or "", row.source or "") for row in test.rows])  # (n,)
    first = test.values.argmax(axis=1)
    accepted = calibration.accepted(test.values, test.knownness) & (family[first] == truth)
    columns = {
        "family ranked first": family[first] == truth,
        "the same by chance": (family == truth[:, None]).mean(axis=1),
    }
    for rule, each in (("without", replace(calibration, naming={})), ("with", calibration)):
        answers = each.answers(test.values, test.knownness)
        columns |= {f"{rule}: {name}": column for name, column in called(test, family, truth, answers).items()}
        columns |= {f"{rule}: unknown of its family": accepted & (answers == STRANGER)}
    return Said(
        trial.left,
        ~test.known,
        np.isin(truth, [family[judge.sources.index(source)] for source in calibration.naming]),
        tuple(np.array([row.columns[level] for row in test.rows]) for level in trial.levels),
        {name: column.astype(np.float64) for name, column in columns.items()},
    )


def called(test: Scored, family: NDArray[np.str_], truth: NDArray[np.str_], answers: IntArray) -> dict[str, Any]:
    """Whether each clip is given its own name, a sister's, or another's: each (n,)."""
    named, kin = answers != STRANGER, family[answers] == truth
    right = test.known & (answers == test.labels)
    return {"named rightly": right, "named as kin": named & kin & ~right, "named as another": named & ~kin}


def figures(parts: Sequence[Said]) -> dict[str, Any]:
    """Every share with its interval, of versions left out and of enrolled sources; and those of each version."""
    strange, borne = (np.concatenate([getattr(part, name) for part in parts]) for name in ("strange", "borne"))
    pools = {"left out": strange, "left out, threshold borne": strange & borne, "enrolled": ~strange}
    version = np.concatenate([np.full(len(part.strange), part.left) for part in parts])
    columns = {name: np.concatenate([part.columns[name] for part in parts]) for name in parts[0].columns}
    groups = [np.concatenate(level) for level in zip(*(part.groups for part in parts), strict=True)]
    return {
        "trials": len(parts),
        "pools": {name: shares(columns, groups, np.flatnonzero(pool)) for name, pool in pools.items() if pool.any()},
        "by version": {
            left: {name: float(column[strange & (version == left)].mean()) for name, column in columns.items()}
            for left in dict.fromkeys(version.tolist())
        },
    }


def shares(columns: Mapping[str, Column], groups: Sequence[NDArray[np.str_]], rows: IntArray) -> dict[str, Any]:
    """The mean of each column over some clips, with its interval, and how many they are."""
    drawn = [rows[each] for each in draws([level[rows] for level in groups], None, DRAWS)]
    return {"clips": len(rows)} | {
        name: [float(column[rows].mean()), *interval(float(column[each].mean()) for each in drawn)]
        for name, column in columns.items()
    }


def measured(trials: Iterable[Trial]) -> dict[str, Any]:
    """The figures of each scorer."""
    parts: dict[str, list[Said]] = {name: [] for name in SCORERS}
    for trial in trials:
        for scorer, each in put(trial):
            parts[scorer].append(each)
    return {scorer: figures(each) for scorer, each in parts.items() if each}


def main(
    out: Annotated[Path, typer.Option(help="JSON to write.")],
    cache: Annotated[Path, typer.Option(help="Where features and embedders are kept.")],
    engines_folder: Annotated[Path | None, typer.Option("--engines", help="Folder with manifest.csv.")] = None,
    voices_folder: Annotated[Path | None, typer.Option("--voices", help="Folder with manifest.csv.")] = None,
) -> None:
    """Run the arms and write their figures."""
    catalogue, results = load_catalogue(), {}
    if engines_folder:
        manifest = read_manifest(engines_folder / "manifest.csv")
        results["engines"] = measured(engines(load_pipeline("dynamics", catalogue), manifest, cache))
    if voices_folder:
        manifest = read_manifest(voices_folder / "manifest.csv")
        for name in ("residual", "dynamics-wide"):
            for arm, trials in (("across pages", across_pages), ("within pages", within_pages)):
                results[f"{name}, {arm}"] = measured(trials(load_pipeline(name, catalogue), manifest, cache))
    out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
