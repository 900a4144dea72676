"""From clips made here to strangers' pages: what a registry names, refuses and gets wrong; and each expert taken away.

    python benchmarks/wild.py --registry DIR --dev DEV.csv --voices VOICES --out F.json [--without PAGE] [--every 3]

VOICES is a folder with a manifest.csv whose `corpus` column is the page a clip was published on. Nothing of it was
trained on, enrolled or calibrated with; `--without` leaves out a page whose speakers were. DEV is the manifest that
the registry was calibrated on: experts taken away are fused and calibrated anew on it. Intervals resample pages.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import numpy as np
import soundfile
import typer
from numpy.typing import NDArray
from rich.progress import track

import earwitness
from earwitness.audio import read_clip
from earwitness.calibration import Calibration
from earwitness.deciding import Judge
from earwitness.evaluation import metrics
from earwitness.evaluation.development import calibrate_judge
from earwitness.evaluation.intervals import bootstrap
from earwitness.evaluation.scoring import Listened, hear_all, score
from earwitness.manifest import Manifest, Row, read_manifest
from earwitness.plugins import load_catalogue
from earwitness.types import FloatArray

NEAR_KIN = ("vits", "yourtts", "melotts", "inflect-vits", "mms", "naturalspeech", "kittentts")
"""Not enrolled, but of the architectures of Piper (VITS) and Kokoro (StyleTTS 2)."""
CONDITIONS: Mapping[str, tuple[str, Mapping[str, Any]] | None] = {
    "raw": None,
    "mp3 64k": ("codec", {"codec": "mp3", "bitrates": (64.0,)}),
    "aac 64k": ("codec", {"codec": "aac", "bitrates": (64.0,)}),
    "opus 16k": ("codec", {"codec": "opus", "bitrates": (16.0,)}),
    "amr 12.2k": ("codec", {"codec": "amr", "bitrates": (12.2,)}),
    "noise 20 dB": ("noise", {"ratio": (20.0, 20.0), "slope": (0.0, 0.0)}),
    "2 s": None,
}

NOBODY = "unknown"


def conditioned(samples: FloatArray, rate: int, condition: str) -> FloatArray:
    """A clip as a condition leaves it, (n,) -> (m,)."""
    if condition == "2 s":
        middle, half = len(samples) // 2, rate
        return samples[max(0, middle - half) : middle + half]
    spec = CONDITIONS[condition]
    if spec is None:
        return samples
    name, parameters = spec
    return np.asarray(load_catalogue().get("degradation", name)(**parameters)(samples, rate, np.random.default_rng(0)))


def degraded(manifest: Manifest, condition: str, folder: Path) -> Manifest:
    """The clips as files of their native rate in a folder, after a condition."""
    return replace(manifest, rows=tuple(_rewritten(manifest.rows, condition, folder)))


def _rewritten(rows: Sequence[Row], condition: str, folder: Path) -> Iterator[Row]:
    for at, row in enumerate(track(rows, condition)):
        clip = read_clip(row.path)
        file = folder / f"{at}.wav"
        soundfile.write(file, conditioned(clip.samples, clip.rate, condition), clip.rate, subtype="FLOAT")
        yield replace(row, path=file)


def interval(values: NDArray[np.float64], pages: Sequence[str]) -> tuple[float, float, float]:
    """Mean over clips and its 95 % interval over pages."""
    low, high = bootstrap(lambda rows: float(values[rows].mean()), [list(pages)], count=500)
    return float(values.mean()), low, high


@dataclass(frozen=True)
class Answers:
    """One line a clip: what is true, what ranks first, what is named, and how known it is."""

    truth: NDArray[np.str_]
    pages: NDArray[np.str_]
    first: NDArray[np.str_]
    named: NDArray[np.str_]
    knownness: NDArray[np.float64]

    @classmethod
    def of(cls, judge: Judge, calibration: Calibration, test: Listened) -> "Answers":
        """What a judge's experts answer to the test clips, by their calibration."""
        scored = score(judge, test, verdicts=False)
        fused = judge.fused(scored.opinions, calibration.fusion)
        names = np.array([*judge.sources, NOBODY])
        return cls(
            truth=np.array([row.source or NOBODY for row in scored.rows]),
            pages=np.array([row.columns["corpus"] for row in scored.rows]),
            first=names[fused.values.argmax(axis=1)],
            named=names[calibration.answers(fused.values, fused.knownness)],
            knownness=fused.knownness.astype(np.float64),
        )

    @property
    def accepted(self) -> NDArray[np.bool_]:
        """(n,)."""
        return np.asarray(self.named != NOBODY)

    def share(self, chosen: NDArray[np.bool_], said: NDArray[np.bool_]) -> tuple[float, float, float]:
        """Of the chosen clips, those of which something was said."""
        return interval(said[chosen].astype(np.float64), self.pages[chosen].tolist())

    def figures(self, sources: Sequence[str]) -> dict[str, Any]:
        """Recall of each source there is, genuine speech taken for a machine, and what strangers are taken for."""
        known = np.isin(self.truth, list(sources))
        result: dict[str, Any] = {
            source: {
                "clips": int((self.truth == source).sum()),
                "recall": self.share(self.truth == source, self.named == source),
                "first rank": self.share(self.truth == source, self.first == source),
            }
            for source in sorted(set(self.truth[known]))
        }
        machine = self.accepted & (self.named != "genuine")
        result["genuine called a machine"] = self.share(self.truth == "genuine", machine)
        near = np.isin(self.truth, NEAR_KIN)
        pools = {"strangers": ~known, "near kin": near, "far strangers": ~known & ~near}
        return result | {name: self._against(known, chosen) for name, chosen in pools.items()}

    def _against(self, known: NDArray[np.bool_], strange: NDArray[np.bool_]) -> dict[str, Any]:
        """How well some strangers are told from what is known."""
        return {
            "clips": int(strange.sum()),
            "auroc": self._auroc(known, strange),
            "accepted": self.share(strange, self.accepted),
            "taken for": dict(Counter(self.named[strange & self.accepted].tolist()).most_common()),
        }

    def _auroc(self, known: NDArray[np.bool_], strange: NDArray[np.bool_]) -> tuple[float, float, float]:
        rows = np.flatnonzero(known | strange)

        def area(drawn: NDArray[np.int64]) -> float:
            chosen = rows[drawn]
            return metrics.auroc(self.knownness[chosen[known[chosen]]], self.knownness[chosen[strange[chosen]]])

        low, high = bootstrap(area, [self.pages[rows].tolist()], known[rows], count=500)
        return area(np.arange(len(rows))), low, high


def panels(count: int) -> Iterator[tuple[int, ...]]:
    """All experts, all but one, and each alone."""
    yield tuple(range(count))
    if count > 1:
        yield from combinations(range(count), count - 1)
    if count > 2:
        yield from combinations(range(count), 1)


def thinned(manifest: Manifest, sources: Sequence[str], every: int) -> Manifest:
    """All clips of known sources, and every so many of strangers."""
    strange = [row for row in manifest.rows if row.source not in sources]
    rows = [row for row in manifest.rows if row.source in sources] + strange[::every]
    return replace(manifest, rows=tuple(rows))


def main(
    registry: Annotated[Path, typer.Option(help="The registry to test.")],
    dev: Annotated[Path, typer.Option(help="Manifest of development clips (split dev).")],
    voices: Annotated[Path, typer.Option(help="Folder with manifest.csv.")],
    out: Annotated[Path, typer.Option(help="JSON to write.")],
    without: Annotated[list[str] | None, typer.Option(help="A page to leave out; may be repeated.")] = None,
    every: Annotated[int, typer.Option(help="In degraded conditions, of strangers every so many clips.")] = 1,
    condition: Annotated[list[str] | None, typer.Option(help="Default: all.")] = None,
    whole: Annotated[bool, typer.Option("--whole", help="Take no expert away.")] = False,
) -> None:
    """Measure and write the figures, condition by condition."""
    manifest = read_manifest(voices / "manifest.csv")
    manifest = replace(manifest, rows=tuple(r for r in manifest.rows if r.columns["corpus"] not in (without or ())))
    results: dict[str, Any] = {}
    with earwitness.open(registry) as engine:
        judge, heard = engine.judge("system"), hear_all(engine, "system", read_manifest(dev).select(split="dev"))
        names = [expert.name for expert in judge.experts]
        kept = list(panels(len(names)))[: 1 if whole else None]
        asked = [replace(judge, asked=tuple(names[at] for at in each)) for each in kept]
        calibrated = [calibrate_judge(each, heard, far=0.05)[0] for each in track(asked, "panels")]
        for each in condition or CONDITIONS:
            with TemporaryDirectory() as folder:
                chosen = manifest if each == "raw" else thinned(manifest, judge.sources, every)
                test = chosen if each == "raw" else degraded(chosen, each, Path(folder))
                listened = hear_all(engine, "system", test)
            results[each] = {
                "+".join(panel.asked or ()): Answers.of(panel, calibration, listened).figures(judge.sources)
                for panel, calibration in zip(asked, calibrated, strict=True)
            }
            out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
            typer.echo(f"{each}: {json.dumps(results[each]['+'.join(names)])}")


if __name__ == "__main__":
    typer.run(main)
