"""Classic synthesis engines: closed set, new voices, siblings merged, codecs, and each engine left out in turn.

    python benchmarks/engines.py --data ENGINES --far NEURAL --pipeline dynamics --seed 0 --seed 1 --out F.json

ENGINES and NEURAL are folders with a manifest.csv. Models learn from `train` and `dev`; `test` is only reported. In
the open arm the threshold is the one that accepts 95 % of the `dev` clips of known engines: no stranger tunes it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from rich.progress import track

from earwitness.audio import read_clip, resampled
from earwitness.contracts import Scorer
from earwitness.evaluation import metrics
from earwitness.loading import load_pipeline
from earwitness.manifest import Manifest, read_manifest
from earwitness.model import Model
from earwitness.pipeline import Pipeline
from earwitness.plugins import load_catalogue
from earwitness.siblings import find_siblings
from earwitness.subset import Subset
from earwitness.training import train
from earwitness.training.closed_form import voices
from earwitness.types import FloatArray, IntArray
from earwitness.windows import cut

Array = NDArray[np.float64]

SCORERS = ("softmax", "openmax", "knn", "mahalanobis", "cell_lda")
CONDITIONS: Mapping[str, Mapping[str, Any] | None] = {
    "clean": None,
    "mp3 64k": {"codec": "mp3", "bitrates": (64.0,)},
    "aac 64k": {"codec": "aac", "bitrates": (64.0,)},
    "amr 12.2k": {"codec": "amr", "bitrates": (12.2,)},
    "opus 16k": {"codec": "opus", "bitrates": (16.0,)},
}
SIBLINGS = {
    "espeak148-formant": "espeak formant",
    "espeak-ng-formant": "espeak formant",
    "espeak148-klatt": "espeak klatt",
    "espeak-ng-klatt": "espeak klatt",
}


@dataclass(frozen=True)
class Rows:
    """n windows of some clips: `embeddings` (n, d), `clips` (n,), and of each clip `names`, `voices` and if `new`."""

    embeddings: FloatArray
    clips: IntArray
    names: Sequence[str]
    voices: IntArray
    new: Sequence[bool]


def enrolled(rows: Rows) -> Subset:
    """The rows as a gallery."""
    sources = tuple(sorted(set(rows.names)))
    labels = np.array([sources.index(rows.names[clip]) for clip in rows.clips], np.int64)
    heads = np.zeros((len(sources), rows.embeddings.shape[1]), np.float32)
    return Subset(sources, heads, rows.embeddings, labels, rows.clips, rows.voices[rows.clips])


def features_of(model: Model, manifest: Manifest, condition: str) -> Iterator[FloatArray]:
    """Each clip's features as answering computes them, after a codec where the condition names one."""
    pipeline, settings = model.pipeline, CONDITIONS[condition]
    codec = load_catalogue().get("degradation", "codec")(**settings) if settings else None
    for row in manifest.rows:
        clip = read_clip(row.path)
        clip = resampled(clip, pipeline.rate_at(clip.rate))
        samples = codec(clip.samples, clip.rate, np.random.default_rng(0)) if codec else clip.samples
        windows = list(cut([samples], clip.rate, pipeline.window, pipeline.hop))
        yield np.concatenate([model.features(each) for each in windows])


class Features:
    """Features of clips by condition, computed once: neither seed nor engine left out changes them."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, Path], FloatArray] = {}

    def rows(self, model: Model, manifest: Manifest, condition: str = "clean") -> Rows:
        """Embed the clips of a manifest under a condition."""
        keys = [(repr(model.pipeline.frontend), condition, row.path) for row in manifest.rows]
        missing = replace(
            manifest, rows=tuple(r for r, k in zip(manifest.rows, keys, strict=True) if k not in self._kept)
        )
        fresh = (k for k in keys if k not in self._kept)
        self._kept |= dict(zip(list(fresh), features_of(model, missing, condition), strict=True))
        parts = [model.embed(self._kept[key]) for key in keys]
        return Rows(
            embeddings=np.concatenate(parts),
            clips=np.repeat(np.arange(len(parts)), [len(part) for part in parts]),
            names=[row.source or "" for row in manifest.rows],
            voices=voices(manifest.rows),
            new=[row.columns.get("voice_in_train") == "0" for row in manifest.rows],
        )


def pooled(scorer: Scorer, gallery: Subset, rows: Rows) -> tuple[Array, Array]:
    """Clip-level values (clips, K) and knownness (clips,): means over windows."""
    scores = scorer.score(scorer.fit(gallery), gallery, rows.embeddings)
    counts = np.bincount(rows.clips)
    values = np.stack([np.bincount(rows.clips, column) / counts for column in scores.values.T], axis=1)
    return values, np.bincount(rows.clips, scores.knownness) / counts


def declared(scorer: Scorer, gallery: Subset, dev: Rows) -> dict[str, str]:
    """The set of each engine that development clips can't tell from another, before any test clip is heard."""
    truth = np.array([gallery.sources.index(name) for name in dev.names])
    sets = find_siblings(pooled(scorer, gallery, dev)[0], truth, gallery.sources)
    return {name: "/".join(each) for each in sets for name in each}


def closed(scorer: Scorer, gallery: Subset, sets: Mapping[str, str], test: Rows) -> dict[str, Any]:
    """Closed-set figures; siblings merged as named above, and by the sets that development declared."""
    answers = np.array(gallery.sources)[pooled(scorer, gallery, test)[0].argmax(axis=1)]
    truth, new = np.array(test.names), np.array(test.new)
    in_sets = [np.array([sets.get(name, name) for name in names]) for names in (truth, answers)]
    merged = [np.array([SIBLINGS.get(name, name) for name in names]) for names in (truth, answers)]
    espeak = [np.array(["espeak" if name in SIBLINGS else name for name in names]) for names in (truth, answers)]
    return {
        "macro_f1": metrics.macro_f1(truth, answers),
        "macro_f1_sets": metrics.macro_f1(*in_sets),
        "sets": sorted(set(sets.values())),
        "macro_f1_merged": metrics.macro_f1(*merged),
        "macro_f1_one_espeak": metrics.macro_f1(*espeak),
        "accuracy_known_voices": metrics.accuracy(truth[~new], answers[~new]),
        "accuracy_new_voices": metrics.accuracy(truth[new], answers[new]),
        "accuracy_merged_known_voices": metrics.accuracy(merged[0][~new], merged[1][~new]),
        "accuracy_merged_new_voices": metrics.accuracy(merged[0][new], merged[1][new]),
    }


def opened(scorer: Scorer, gallery: Subset, dev: Rows, known: Rows, strangers: Rows) -> dict[str, float]:
    """Open-set figures against one pool of strangers."""
    threshold = np.quantile(pooled(scorer, gallery, dev)[1], 0.05)
    values, knownness = pooled(scorer, gallery, known)
    strange_values, strange = pooled(scorer, gallery, strangers)
    truth = np.array([gallery.sources.index(name) for name in known.names] + [-1] * len(strange))
    first = np.concatenate([values, strange_values]).argmax(axis=1)
    answers = np.where(np.concatenate([knownness, strange]) >= threshold, first, -1)
    right = first[: len(knownness)] == truth[: len(knownness)]
    return {
        "auroc": metrics.auroc(knownness, strange),
        "fpr95": metrics.fpr95(knownness, strange),
        "oscr": metrics.oscr(right, knownness, strange),
        "macro_f1_open": metrics.macro_f1(truth, answers),
    }


def unheard(pipeline: Pipeline, codec: str) -> Pipeline:
    """The pipeline with one codec held out of training: a clip's version that passes it is the clip as it is."""
    chains = [() if any(codec in repr(each) for each in chain) else chain for chain in pipeline.training.versions]
    name = f"{pipeline.name}, {codec} held out"
    return replace(pipeline, name=name, training=replace(pipeline.training, versions=tuple(chains)))


def without(manifest: Manifest, source: str, keep: bool = False) -> Manifest:
    """The rows of every other source, or with `keep` of this one alone."""
    return replace(manifest, rows=tuple(row for row in manifest.rows if (row.source == source) == keep))


@dataclass
class Bench:
    """One pipeline's runs over the seeds."""

    pipeline: Pipeline
    manifest: Manifest
    far: Manifest
    cache: Path
    work: Path
    features: Features

    def model(self, manifest: Manifest, seed: int) -> Model:
        """Train, or read what an earlier run trained."""
        left = sorted({row.source or "" for row in self.manifest.rows} - {row.source for row in manifest.rows})
        folder = self.work / "-".join([self.pipeline.name, f"seed{seed}", *left])
        if not (folder / "pipeline.yaml").exists():
            train(self.pipeline, manifest, folder, seed=seed, cache=self.cache, quiet=True)
        return Model.load(folder, load_catalogue())

    def scorers(self) -> dict[str, Scorer]:
        """The five rules with their defaults."""
        return {name: load_catalogue().get("scorer", name)() for name in SCORERS}

    def closed_set(self, seed: int) -> dict[str, Any]:
        """Figures by condition and scorer."""
        model = self.model(self.manifest, seed)
        gallery = enrolled(self.features.rows(model, self.manifest.select(split="train")))
        dev = self.features.rows(model, self.manifest.select(split="dev"))
        tests = {each: self.features.rows(model, self.manifest.select(split="test"), each) for each in CONDITIONS}
        found = {}
        for name, scorer in self.scorers().items():
            sets = declared(scorer, gallery, dev)
            found[name] = {each: closed(scorer, gallery, sets, test) for each, test in tests.items()}
        return found

    def left_out(self, seed: int, source: str) -> dict[str, Any]:
        """Figures by condition and scorer with one engine unknown, against it and against far strangers."""
        known = without(self.manifest, source)
        model = self.model(known, seed)
        gallery, dev = (self.features.rows(model, known.select(split=split)) for split in ("train", "dev"))
        pools = {"left out": without(self.manifest, source, keep=True).select(split="test"), "far": self.far}
        figures: dict[str, Any] = {}
        for condition in CONDITIONS:
            test = self.features.rows(model, known.select(split="test"), condition)
            strangers = {name: self.features.rows(model, pool, condition) for name, pool in pools.items()}
            figures[condition] = {
                name: {pool: opened(scorer, enrolled(gallery), dev, test, each) for pool, each in strangers.items()}
                for name, scorer in self.scorers().items()
            }
        return figures


def main(
    data: Annotated[Path, typer.Option(help="Folder of the engines, with manifest.csv.")],
    far: Annotated[Path, typer.Option(help="Folder of far strangers, with manifest.csv.")],
    out: Annotated[Path, typer.Option(help="JSON to write.")],
    pipeline: Annotated[list[str], typer.Option(help="Pipeline; may be repeated.")],
    seed: Annotated[list[int], typer.Option(help="Seed; may be repeated.")],
    cache: Annotated[Path | None, typer.Option(help="Feature cache; default a temporary one.")] = None,
    work: Annotated[Path | None, typer.Option(help="Where models go and are found again.")] = None,
    hold_out: Annotated[
        list[str] | None, typer.Option(help="Codec kept out of training, in one more arm each.")
    ] = None,
    closed_only: Annotated[bool, typer.Option("--closed-only", help="Leave the open-set arm out.")] = False,
) -> None:
    """Run the arms and write their figures, one entry a pipeline and seed."""
    manifest = read_manifest(data / "manifest.csv")
    strangers = read_manifest(far / "manifest.csv").select(split="test")
    scratch = Path(mkdtemp())
    features, results = Features(), []
    loaded = [load_pipeline(name, load_catalogue()) for name in pipeline]
    for each_pipeline in [*loaded, *(unheard(each, codec) for each in loaded for codec in hold_out or ())]:
        name = each_pipeline.name
        bench = Bench(each_pipeline, manifest, strangers, cache or scratch / "cache", work or scratch, features)
        for each in seed:
            result: dict[str, Any] = {"pipeline": name, "seed": each, "closed": bench.closed_set(each)}
            if not closed_only:
                sources = sorted({row.source or "" for row in manifest.rows})
                result["open"] = {s: bench.left_out(each, s) for s in track(sources, f"{name} seed {each}")}
            results.append(result)
            out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
