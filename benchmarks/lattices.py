"""What the tracer says of genuine speech, at the asked rates of false alarm, and of systems with a lattice.

    python benchmarks/lattices.py --speech SPEECH.csv --prefix speech/ --voices VOICES --out F.json

SPEECH is a manifest of recordings with a column `speaker`: the longest of each speaker is asked about. VOICES is a
folder with a manifest.csv of clips by `source`, genuine ones among them. Intervals are exact binomial ones.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import track
from scipy.stats import binomtest

from earwitness.manifest import Row, read_manifest
from earwitness.plugins import load_catalogue
from earwitness.tracing import Traced, trace_clips

ALPHAS = (0.01, 0.05)


def carries(clip: Traced) -> bool:
    """Whether a clip is said to carry a vocoder's lattice."""
    return any(trace.kind == "upsampling" for trace in clip.traces)


def share(rows: Sequence[Row], alpha: float, what: str) -> dict[str, Any]:
    """How many of some clips carry one, with what was read where they do."""
    tracer = load_catalogue().get("tracer", "lattice")(alpha)
    found = list(track(trace_clips([row.path for row in rows], [tracer]), what, len(rows)))
    count = sum(map(carries, found))
    low, high = binomtest(count, len(found)).proportion_ci()
    readings = sorted(t.reading for clip in found for t in clip.traces if t.kind == "upsampling")
    return {"clips": len(found), "found": count, "share": count / len(found), "interval": [low, high], "as": readings}


def longest(rows: Sequence[Row]) -> list[Row]:
    """The longest recording of each speaker."""
    best: dict[str, Row] = {}
    for row in sorted(rows, key=lambda each: float(each.columns["seconds"])):
        best[row.columns["speaker"]] = row
    return list(best.values())


def main(
    speech: Annotated[Path, typer.Option(help="Manifest of genuine recordings.")],
    voices: Annotated[Path, typer.Option(help="Folder with manifest.csv.")],
    out: Annotated[Path, typer.Option(help="JSON to write.")],
    prefix: Annotated[str, typer.Option(help="Only paths of the manifest that begin so.")] = "",
    least: Annotated[int, typer.Option(help="Sources with so many clips or more are asked about.")] = 9,
) -> None:
    """Measure and write the figures."""
    people = [row for row in read_manifest(speech).rows if row.columns["path"].startswith(prefix)]
    clips = read_manifest(voices / "manifest.csv").rows
    genuine = {"speakers": longest(people), "pages": [row for row in clips if row.source == "genuine"]}
    results: dict[str, Any] = {
        f"genuine, {name}, {alpha:.0%} asked": share(rows, alpha, name)
        for name, rows in genuine.items()
        for alpha in ALPHAS
    }
    for source in sorted({row.source for row in clips if row.source} - {"genuine"}):
        rows = [row for row in clips if row.source == source]
        if len(rows) >= least:
            results[source] = share(rows, ALPHAS[0], source)
    out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    for name, found in results.items():
        low, high = found["interval"]
        typer.echo(f"{name}: {found['found']} of {found['clips']} ({found['share']:.3f} [{low:.3f} {high:.3f}])")


if __name__ == "__main__":
    typer.run(main)
