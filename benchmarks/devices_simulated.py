"""Simulated devices that training never saw: named, verified, told from strangers; and what a wrong cue would give.

    simulate="python examples/devices/simulate.py --speech SPEECH --speakers 106: --world 2 --models 1"
    $simulate ROOT/enrol --rooms ROOMS --devices 200 --clips 5 --seconds 5 --seed 1 --snr 100
    for snr in 100 40 20 10; do
        $simulate ROOT/snr$snr --rooms ROOMS --noise NOISE --devices 400 --clips 2 --seconds 8 --seed 2 --snr $snr
    done
    $simulate ROOT/cues --devices 60 --clips 12 --seconds 5 --seed 3 --places 8 --speakers 106:114 --world 2 --models 1
    python benchmarks/devices_simulated.py --root ROOT --model DIR --out F.json

World, speakers and measured rooms and noises are ones that training never met; devices of `snr100` that are not in
`enrol` are the strangers. Rank-1 is among those enrolled; the EER is of a clip against each device enrolled; AUROC
has knownness. The clips of 4 s are also parted by how deep a device's own noise lies under usual speech. The error
table has pairs of clips of `cues`, called one device's where their cosine reaches the threshold at which pairs of
`snr100` have their EER. Intervals resample devices.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from devices_baselines import QUIET_DISTANCE, baselines
from devices_clips import RATE, degradation
from devices_cues import errors
from devices_methods import RULES, Method, gallery, heard, model_methods, pooled, unchanged

from earwitness.evaluation import metrics
from earwitness.evaluation.intervals import draws, interval
from earwitness.manifest import read_manifest
from earwitness.types import FloatArray, IntArray
from earwitness_devices.simulation import SimulatedDevice

DRAWS = 100
SECONDS = 4.0
LENGTHS = (1.0, 2.0, 4.0, 8.0)
NOISY = ("snr40", "snr20", "snr10")
CLEAN = "snr100"
USUAL = f"{SECONDS:g} s"
LOUD = 40.0
SPEECH_LEVEL = -29.0  # dB of full scale before the microphone: the middle of what examples/devices/simulate.py draws
CODECS = ("mp3", "opus", "aac", "amr", "mulaw")


@dataclass(frozen=True)
class Condition:
    """The corpus that test clips are of, how much of each is heard, and what is done to it."""

    corpus: str
    seconds: float
    codec: str | None = None

    def __call__(self, samples: FloatArray, number: int) -> FloatArray:  # noqa: ARG002
        """(n,) -> (m,)."""
        cut = samples[: round(self.seconds * RATE)]
        if self.codec is None:
            return cut
        return np.asarray(degradation("codec", codec=self.codec)(cut, RATE, np.random.default_rng(0)))


CONDITIONS: Mapping[str, Condition] = {
    **{f"{seconds:g} s": Condition(CLEAN, seconds) for seconds in LENGTHS},
    **{f"{corpus.removeprefix('snr')} dB": Condition(corpus, SECONDS) for corpus in NOISY},
    **{codec: Condition(CLEAN, SECONDS, codec) for codec in CODECS},
}


@dataclass(frozen=True)
class Answers:
    """What n clips got: `values` (n, K), `knownness` (n,), `truth` (n,), -1 for a stranger, and the `device` (n,)."""

    values: FloatArray
    knownness: FloatArray
    truth: IntArray
    device: Sequence[str]

    def figures(self, rows: IntArray) -> dict[str, float]:
        """Rank-1, EER and AUROC over some of the clips."""
        known, strange = rows[self.truth[rows] >= 0], rows[self.truth[rows] < 0]
        truth = self.truth[known]
        own = np.zeros((len(rows), self.values.shape[1]), bool)
        own[np.flatnonzero(self.truth[rows] >= 0), truth] = True
        values = self.values[rows]
        return {
            "rank1": metrics.accuracy(truth, self.values[known].argmax(axis=1)),
            "eer": metrics.eer(values[own], values[~own]),
            "auroc": metrics.auroc(self.knownness[known], self.knownness[strange]),
        }

    def spread(self) -> dict[str, list[float]]:
        """Each figure: [it, low, high]."""
        drawn = [self.figures(rows) for rows in draws([self.device], self.truth >= 0, DRAWS)]
        whole = self.figures(np.arange(len(self.truth)))
        return {name: [value, *interval(each[name] for each in drawn)] for name, value in whole.items()}


def asked(method: Method, enrolled: tuple[Sequence[FloatArray], Sequence[str]]) -> Callable[..., Answers]:
    """A method that knows some clips (B, d) of devices, to be asked about others."""
    known = gallery(*enrolled)
    answer = method.rule(known)
    index = {source: k for k, source in enumerate(known.sources)}

    def ask(clips: Sequence[FloatArray], devices: Sequence[str]) -> Answers:
        audible = [at for at, rows in enumerate(clips) if len(rows)]
        scores = pooled(answer, (clips[at] for at in audible))
        names = [devices[at] for at in audible]
        truth = np.array([index.get(name, -1) for name in names], np.int64)
        return Answers(scores.values, scores.knownness, truth, names)

    return ask


def conditions(root: Path, methods: Sequence[Method]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every condition's figures by method."""
    ears = list(dict.fromkeys(method.ear for method in methods))
    enrolled = read_manifest(root / "enrol" / "manifest.csv").rows
    names = [row.source or "" for row in enrolled]
    references = heard(ears, enrolled, unchanged, "enrol")
    asking = {method.name: asked(method, (references[method.ear], names)) for method in methods}
    for title, condition in CONDITIONS.items():
        rows = read_manifest(root / condition.corpus / "manifest.csv").rows
        clips = heard(ears, rows, condition, title)
        devices = [row.source or "" for row in rows]
        yield title, {m.name: asking[m.name](clips[m.ear], devices).spread() for m in methods}
        if condition == CONDITIONS[USUAL]:
            for part, kept in by_own_noise(devices).items():
                names_kept = [devices[at] for at in kept]
                yield (
                    f"{title}, {part}",
                    {m.name: asking[m.name]([clips[m.ear][at] for at in kept], names_kept).spread() for m in methods},
                )


def by_own_noise(devices: Sequence[str]) -> dict[str, list[int]]:
    """Clips of devices that hiss, and of those whose own noise lies deeper under speech than LOUD."""
    deep = {device: depth(device) > LOUD for device in set(devices)}
    return {
        name: [at for at, device in enumerate(devices) if deep[device] == quiet]
        for name, quiet in ((f"own noise within {LOUD:g} dB of speech", False), ("own noise deeper", True))
    }


def depth(device: str) -> float:
    """DB of usual speech over a simulated device's self-noise up to 8 kHz, without firmware."""
    drawn = SimulatedDevice(*map(int, device.split("-")[1:]))
    step = 10.0
    floor = drawn.floor(np.arange(50.0, 8000.0, step))
    noise = 10.0 * float(np.log10(np.sum(step * 10.0 ** (floor / 10.0))))
    return SPEECH_LEVEL + drawn.traits.gain - noise


def main(
    root: Annotated[Path, typer.Option(help="Folder of the simulated corpora.")],
    out: Annotated[Path, typer.Option(help="JSON to write.")],
    model: Annotated[list[Path] | None, typer.Option(help="A trained model's folder.")] = None,
    rule: Annotated[list[str] | None, typer.Option(help="Scorers asked of a model.")] = None,
) -> None:
    """Run every condition, then the error table, and write the figures one by one."""
    methods = [each for folder in model or () for each in model_methods(folder, rule or RULES)]
    methods += baselines([QUIET_DISTANCE])
    results: dict[str, Any] = {"conditions": {}}
    for title, found in conditions(root, methods):
        results["conditions"][title] = found
        out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    results["cues"] = errors(root, methods)
    out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
