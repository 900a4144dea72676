"""Open sets: every scorer on the same embeddings, calibrated on development clips, asked about strangers.

    python benchmarks/openset.py --engines ENGINES --voices VOICES --cache DIR --out F.json [--plot F.png]

ENGINES and VOICES are folders with a manifest.csv. Two arms: each engine left out in turn (pipeline `dynamics`); pages
of voices left out in ten groups, strangers being the sources that stand on one page alone, half of them development's
and half the test's, then the other way round (`dynamics-wide` and `residual`). Both clean and, by the thresholds of
clean clips, after codecs. Nothing that is tested was trained on, enrolled, or heard in development. Intervals resample
sources and voices, or pages. Features, then embedders, are computed once and kept under DIR.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from openset_arms import Fold, engines, in_pool, pages, repeated
from openset_features import CODECS
from openset_plot import plot
from openset_pooling import POOLS, Pool, mean
from openset_rules import Answers, Case, Rule, Said, answer

from earwitness.contracts import Scorer
from earwitness.evaluation.intervals import draws, interval
from earwitness.loading import load_pipeline
from earwitness.manifest import Manifest, Row, read_manifest
from earwitness.plugins import load_catalogue
from earwitness.types import IntArray

CHOSEN, EVEN = "auto", "auto, averaged"
SWEPT = ("softmax", "openmax", CHOSEN)
POOLED = ("softmax", "mahalanobis", "plda")
DRAWS = 300
CLEAN = "clean"
SHORT = 1.0
"""Seconds of a window where clips of an engine are pooled from several."""

Rules = Mapping[str, Rule]
Mask = NDArray[np.bool_]


def registered() -> tuple[list[Scorer], Rules]:
    """Every scorer that plugins offer, and the rules to compare: each alone, and the panel `auto` in two ways."""
    catalogue = load_catalogue()
    offered = [catalogue.get("scorer", name)() for name in catalogue.names("scorer")]
    scorers = [each for each in offered if isinstance(each, Scorer)]
    places = {each.name: at for at, each in enumerate(scorers)}
    panel = tuple(places[each.name] for each in catalogue.get("scorer", CHOSEN)().scorers)
    alone = {name: Rule((at,)) for name, at in places.items()}
    return scorers, alone | {CHOSEN: Rule(panel), EVEN: Rule(panel, fused=True)}


def put(folds: Iterable[Fold], scorers: Sequence[Scorer], pool: Pool = mean) -> Iterator[Case]:
    """Put all clips of each fold to all scorers."""
    for world, fold in enumerate(folds):
        test = {name: Said.of(scorers, [asked], fold.sources, pool) for name, asked in fold.test.items()}
        yield Case(world, fold.sources, Said.of(scorers, fold.dev, fold.sources, pool), test)


def swapped(cases: Sequence[Case]) -> Iterator[Case]:
    """Each case twice: development hears one pool of strangers and the test the other."""
    for pool in (False, True):
        for case in cases:
            dev = case.dev.only(_of_pool(case.dev, pool))
            test = {name: said.only(_of_pool(said, not pool)) for name, said in case.test.items()}
            yield Case(int(pool), case.sources, dev, test)


def _of_pool(said: Said, pool: bool) -> Mask:
    return said.known | (np.array([in_pool(row) for row in said.rows]) == pool)


@dataclass(frozen=True)
class Arm:
    """All cases, `levels` by which their clips are grouped, and the strangers that are near kin of the known."""

    cases: Sequence[Case]
    levels: Sequence[str]
    kin: frozenset[str]

    def answers(self, rule: Rule, condition: str) -> Answers:
        """What a rule answers, by what it learned in each case's development."""
        names = (*sorted({source for case in self.cases for source in case.sources}), "unknown")
        return Answers.joined([answer(rule, case, condition, names) for case in self.cases])

    def rows(self, condition: str) -> list[Row]:
        """The clips tested, in the order of the answers."""
        return [row for case in self.cases for row in case.test[condition].rows]

    def figures(self, rules: Rules, condition: str) -> dict[str, Any]:
        """By pool of strangers and rule: each figure with its interval, and how far it lies under the chosen rule's."""
        rows = self.rows(condition)
        levels = [[row.columns[level] for row in rows] for level in self.levels]
        answers = {name: self.answers(rule, condition) for name, rule in rules.items()}
        known, near = answers[CHOSEN].known, np.array([row.source in self.kin for row in rows])
        pools = {"all": known | True, "near": known | near, "far": known | ~near}
        return {
            name: compared(answers, np.flatnonzero(chosen), levels)
            for name, chosen in pools.items()
            if (chosen & ~known).any() and (name == "all" or not chosen.all())
        }

    def taken(self, rule: Rule, scorers: Sequence[Scorer]) -> dict[str, int]:
        """In how many cases development chose which scorer."""
        return dict(Counter(scorers[rule.taken(case.dev)].name for case in self.cases).most_common())

    def sweeps(self, rules: Rules, conditions: Sequence[str]) -> dict[str, Any]:
        """Macro-F1 over K + 1 against the threshold, over all clips of some conditions."""
        return {
            name: Answers.joined([self.answers(rules[name], condition) for condition in conditions]).sweep()
            for name in SWEPT
        }


def compared(answers: Mapping[str, Answers], chosen: IntArray, levels: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Every rule's figures over some lines, on the same draws of them."""
    known = answers[CHOSEN].known[chosen]
    drawn = [chosen[each] for each in draws([np.array(level)[chosen] for level in levels], known, DRAWS)]
    found = {name: [each.figures(rows) for rows in (chosen, *drawn)] for name, each in answers.items()}
    return {name: spread(figures, found[CHOSEN]) for name, figures in found.items()}


def spread(ours: Sequence[Mapping[str, float]], best: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """Of each figure, first as it is and then in every draw: [it, low, high] and [chosen - it, low, high]."""
    return {
        figure: {
            "value": [ours[0][figure], *interval(each[figure] for each in ours[1:])],
            "chosen_less_it": [
                best[0][figure] - ours[0][figure],
                *interval(b[figure] - o[figure] for b, o in zip(best[1:], ours[1:], strict=True)),
            ],
        }
        for figure in ours[0]
    }


def kin_engines(manifest: Manifest) -> frozenset[str]:
    """Engines of a family of several: left out, they have kin among the others."""
    families = {row.source or "": row.columns["family"] for row in manifest.rows}
    listed = list(families.values())
    return frozenset(source for source, family in families.items() if listed.count(family) > 1)


def kin_voices(manifest: Manifest) -> frozenset[str]:
    """Sources of one page that share an acoustic model or a vocoder with one of several pages."""
    known = set(repeated(manifest.rows))
    parts = {row.columns[c] for row in manifest.rows if row.source in known for c in ("acoustic_model", "vocoder")}
    near = [r for r in manifest.rows if {r.columns["acoustic_model"], r.columns["vocoder"]} & (parts - {""})]
    return frozenset(row.source or "" for row in near if row.source not in known)


def pooling(folds: Sequence[Fold], scorers: Sequence[Scorer], arm: Callable[[Sequence[Case]], Arm]) -> dict[str, Any]:
    """Accuracy and AUROC by way of pooling and scorer."""
    rules = {each.name: Rule((at,)) for at, each in enumerate(scorers)}
    found: dict[str, Any] = {}
    for way, pool in POOLS.items():
        pooled = arm(list(put(folds, scorers, pool)))
        answers = {name: pooled.answers(rule, CLEAN) for name, rule in rules.items()}
        figures = {name: each.figures(np.arange(len(each.known))) for name, each in answers.items()}
        found[way] = {name: {"accuracy": f["accuracy"], "auroc": f["auroc"]} for name, f in figures.items()}
    return found


def engine_arms(manifest: Manifest, scorers: Sequence[Scorer], rules: Rules, cache: Path) -> dict[str, Any]:
    """Each engine left out, clean and after codecs; the threshold swept; windows pooled."""
    pipeline, kin = load_pipeline("dynamics", load_catalogue()), kin_engines(manifest)

    def arm(cases: Sequence[Case]) -> Arm:
        return Arm(cases, ("source", "voice"), kin)

    whole = arm(list(put(engines(pipeline, manifest, cache, list(CODECS)), scorers)))
    worse = [condition for condition in CODECS if condition != CLEAN]
    short = engines(replace(pipeline, window=SHORT, hop=SHORT / 2), manifest, cache, [CLEAN])
    return {
        "engines": {condition: whole.figures(rules, condition) for condition in CODECS},
        "engines, taken": whole.taken(rules[CHOSEN], scorers),
        "sweep": {CLEAN: whole.sweeps(rules, [CLEAN]), "compressed": whole.sweeps(rules, worse)},
        "engines, pooling": pooling(list(short), [each for each in scorers if each.name in POOLED], arm),
    }


def voice_arm(name: str, manifest: Manifest, scorers: Sequence[Scorer], rules: Rules, cache: Path) -> dict[str, Any]:
    """Each page left out, in the space of one pipeline, clean and after codecs; windows pooled."""
    folds = list(pages(load_pipeline(name, load_catalogue()), manifest, cache, list(CODECS)))
    kin = kin_voices(manifest)

    def arm(cases: Sequence[Case]) -> Arm:
        return Arm(list(swapped(cases)), ("corpus",), kin)

    whole = arm(list(put(folds, scorers)))
    return {
        f"voices, {name}": {condition: whole.figures(rules, condition) for condition in CODECS},
        f"voices, {name}, taken": whole.taken(rules[CHOSEN], scorers),
        f"voices, {name}, pooling": pooling(folds, [each for each in scorers if each.name in POOLED], arm),
    }


def main(
    out: Annotated[Path, typer.Option(help="JSON to write.")],
    cache: Annotated[Path, typer.Option(help="Where features and embedders are kept.")],
    engines_folder: Annotated[Path | None, typer.Option("--engines", help="Folder with manifest.csv.")] = None,
    voices_folder: Annotated[Path | None, typer.Option("--voices", help="Folder with manifest.csv.")] = None,
    pipeline: Annotated[list[str] | None, typer.Option(help="For voices; default dynamics-wide and residual.")] = None,
    plot_file: Annotated[Path | None, typer.Option("--plot", help="PNG of the threshold sweep.")] = None,
) -> None:
    """Run the arms and write their figures, arm by arm."""
    scorers, rules = registered()
    results: dict[str, Any] = json.loads(out.read_text(encoding="utf-8")) if out.exists() else {}
    if engines_folder:
        results |= engine_arms(read_manifest(engines_folder / "manifest.csv"), scorers, rules, cache)
        out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    for name in (pipeline or ("dynamics-wide", "residual")) if voices_folder else ():
        results |= voice_arm(name, read_manifest(voices_folder / "manifest.csv"), scorers, rules, cache)
        out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    if plot_file:
        plot(results["sweep"], plot_file)


if __name__ == "__main__":
    typer.run(main)
