"""The starter registry on strangers' pages: what it names, what it refuses, and what it gets wrong.

    python benchmarks/starter.py --voices VOICES --out F.json --without auspicious3000/autovc [--registry DIR]

VOICES is a folder with a manifest.csv whose `corpus` column is the page a clip was published on. Nothing of it was
trained on, enrolled or calibrated with; `--without` leaves out a page whose speakers were (VCTK's). Intervals
resample pages, not clips.
"""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

import earwitness
from earwitness.evaluation import metrics
from earwitness.evaluation.scoring import Scored, score_rows
from earwitness.manifest import read_manifest

NEAR_KIN = ("vits", "yourtts", "melotts", "inflect-vits", "mms", "naturalspeech", "kittentts")
"""Not enrolled, but of the architectures of Piper (VITS) and Kokoro (StyleTTS 2)."""


def interval(values: NDArray[np.float64], pages: list[str]) -> tuple[float, float, float]:
    """Mean over clips and its 95 % interval over pages."""
    low, high = metrics.bootstrap(lambda rows: float(values[rows].mean()), [pages], count=1000)
    return float(values.mean()), low, high


def named(scored: Scored, sources: tuple[str, ...], threshold: float) -> NDArray[np.str_]:
    """The answer of each clip, 'unknown' under the threshold."""
    return np.array([*sources, "unknown"])[scored.answers(threshold)]


def figures(scored: Scored, sources: tuple[str, ...], threshold: float) -> dict[str, Any]:
    """Recall of each known source; what strangers, near kin and far, are taken for."""
    answers = named(scored, sources, threshold)
    truth = np.array([row.source or "unknown" for row in scored.rows])
    pages = [row.columns["corpus"] for row in scored.rows]
    known, near = scored.known, np.isin(truth, NEAR_KIN)
    result: dict[str, Any] = {}
    for source in sorted(set(truth[known])):
        chosen = np.flatnonzero(truth == source)
        right = (answers[chosen] == source).astype(np.float64)
        result[source] = {
            "clips": len(chosen),
            "recall": interval(right, [pages[i] for i in chosen]),
            "answers": dict(Counter(answers[chosen].tolist()).most_common()),
        }
    for name, chosen in (("strangers", ~known), ("near kin", near), ("far strangers", ~known & ~near)):
        rows = np.flatnonzero(chosen)
        accepted = (answers[rows] != "unknown").astype(np.float64)
        result[name] = {
            "clips": len(rows),
            "auroc": metrics.auroc(scored.knownness[known], scored.knownness[rows]),
            "accepted": interval(accepted, [pages[i] for i in rows]),
            "answers": dict(Counter(answers[rows].tolist()).most_common()),
        }
    return result


def main(
    voices: Annotated[Path, typer.Option(help="Folder with manifest.csv.")],
    out: Annotated[Path, typer.Option(help="JSON to write.")],
    without: Annotated[list[str] | None, typer.Option(help="A page to leave out; may be repeated.")] = None,
    registry: Annotated[Path | None, typer.Option(help="Default: the registry that answers by default.")] = None,
) -> None:
    """Measure and write the figures."""
    with earwitness.open(registry) as engine:
        judge = engine.judge("system")
        if judge.calibration is None:
            raise SystemExit("the registry has no threshold: run 'earwitness calibrate'")
        manifest = read_manifest(voices / "manifest.csv")
        rows = tuple(row for row in manifest.rows if row.columns["corpus"] not in (without or ()))
        scored = score_rows(engine, "system", replace(manifest, rows=rows))
        result = figures(scored, judge.gallery.sources, judge.calibration.threshold)
    out.write_text(json.dumps({**result, "skipped": scored.skipped}, indent=1) + "\n", encoding="utf-8")
    for name, values in result.items():
        typer.echo(f"{name}: {json.dumps(values)}")


if __name__ == "__main__":
    typer.run(main)
