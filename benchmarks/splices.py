"""Clips joined of two: how often a registry says that the source changes, where, and how often of one it says so too.

    python benchmarks/splices.py --registry DIR --manifest MANIFEST --split test --out F.json [--count 200]

The first clip of a pair comes first, the second at its rate and its own level, each cut to `--seconds` at most. Pairs
are of two sources, or of one, which no change should be found in: its other clip has another text and often voice.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import numpy as np
import soundfile
import typer
from rich.progress import track

import earwitness
from earwitness.audio import read_clip
from earwitness.manifest import Row, read_manifest
from earwitness.types import Verdict

Pair = tuple[Row, Row]


def drawn(rows: Sequence[Row], alike: bool, count: int) -> list[Pair]:
    """Pairs of clips of one source, or of two."""
    rng = np.random.default_rng(0)
    pairs: list[Pair] = []
    while len(pairs) < count:
        one, two = (rows[int(at)] for at in rng.choice(len(rows), size=2, replace=False))
        if (one.source == two.source) is alike:
            pairs.append((one, two))
    return pairs


def joined(pair: Pair, seconds: float, file: Path) -> float:
    """Write the two clips as one; the second at which the second begins."""
    one = read_clip(pair[0].path)
    parts = [each[: round(seconds * one.rate)] for each in (one.samples, read_clip(pair[1].path, one.rate).samples)]
    soundfile.write(file, np.concatenate(parts), one.rate, subtype="FLOAT")
    return len(parts[0]) / one.rate


def asked(registry: Path, pairs: Sequence[Pair], seconds: float, name: str) -> Iterator[tuple[Pair, float, Verdict]]:
    """Each pair with the true change and the verdict on the joined clip."""
    with TemporaryDirectory() as folder, earwitness.open(registry) as engine:
        for at, pair in enumerate(track(pairs, name)):
            change = joined(pair, seconds, file := Path(folder) / f"{at}.wav")
            yield pair, change, engine.identify(file, pair[0].task or "all", segments=True)[0]


def figures(answers: Sequence[tuple[Pair, float, Verdict]]) -> Mapping[str, Any]:
    """How often a change was told, and how true it was."""
    told = [(pair, change, verdict.mixed) for pair, change, verdict in answers if verdict.mixed]
    both = [(m.before, m.after) == (pair[0].source, pair[1].source) for pair, _, m in told]
    return {
        "clips": len(answers),
        "told": len(told),
        "both named rightly": sum(both),
        "median error in seconds": float(np.median([abs(m.at - change) for _, change, m in told])) if told else None,
    }


def main(
    registry: Annotated[Path, typer.Option(help="A calibrated registry.")],
    manifest: Annotated[Path, typer.Option(help="Clips of its sources.")],
    out: Annotated[Path, typer.Option(help="JSON to write.")],
    split: Annotated[str, typer.Option(help="Which of them.")] = "test",
    count: Annotated[int, typer.Option(help="Pairs of either kind.")] = 200,
    seconds: Annotated[float, typer.Option(help="The most that is taken of a clip.")] = 8.0,
) -> None:
    """Measure and write the figures."""
    with earwitness.open(registry) as engine:
        enrolled = {source for task in engine.models for source in engine.judge(task).sources}
    rows = [row for row in read_manifest(manifest).select(split=split).rows if row.source in enrolled]
    results = {
        name: figures(list(asked(registry, drawn(rows, alike, count), seconds, name)))
        for name, alike in (("two sources", False), ("one source", True))
    }
    out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    typer.echo(json.dumps(results, indent=1))


if __name__ == "__main__":
    typer.run(main)
