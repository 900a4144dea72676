"""Real microphones: who is named, who is taken for a stranger, beside baselines trained on the same takes.

    python benchmarks/devices.py --manifest MANIFEST --out F.json [--model DIR ...] [--baseline NAME ...]

MANIFEST lists takes of named microphones, some through a web conference, and clips of devices that nobody enrolled.
Takes of one side (left, back, right, front, or S, the wearer's own speech) are left out in turn and tested against
those of the other sides: so no take is on both sides, and no position. Accuracy is with all microphones enrolled;
AUROC and OSCR have each left out in turn as the stranger, `auroc_far` the devices that nobody enrolled. Answers are
over whole takes and over excerpts; intervals resample takes. `devices_tables.py` prints the figures.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from devices_arms import Arm, Trial, all_arms
from devices_baselines import BASELINES, baselines
from devices_clips import Take, excerpts, read_takes
from devices_figures import NOBODY, Lines
from devices_methods import RULES, Ear, Method, gallery, model_methods, pooled
from rich.progress import track

from earwitness.types import FloatArray

SECONDS = 4.0
UNITS = {"whole takes": None, f"excerpts of {SECONDS:g} s": SECONDS}


@dataclass(frozen=True)
class Bench:
    """Asks methods about one arm; each ear hears a sound once."""

    arm: Arm
    sounds: dict[Take, FloatArray] = field(default_factory=dict)
    rows: dict[tuple[Ear, Take, float | None], list[FloatArray]] = field(default_factory=dict)

    def lines(self, method: Method, seconds: float | None) -> Lines:
        """Every trial in every world, over whole takes or over excerpts of so many seconds."""
        return Lines.of([line for trial in self.arm.trials for line in self._trial(method, trial, seconds)])

    def _trial(self, method: Method, trial: Trial, seconds: float | None) -> Iterator[tuple[Any, ...]]:
        """A line for each sound tested, in the order of the fields of `Lines`."""
        tested = self._parts(method, trial.tested, seconds)
        strange = self._parts(method, self.arm.strangers, seconds)
        for world in (NOBODY, *sorted({take.device for take in trial.enrolled})):
            kept = [take for take in trial.enrolled if take.device != world]
            enrolled = gallery([self.heard(method.ear, take)[0] for take in kept], [take.device for take in kept])
            put = [*tested, *strange] if world == NOBODY else tested
            scores = pooled(method.rule(enrolled), (rows for _, rows in put))
            for (take, _), values, knownness in zip(put, scores.values, scores.knownness, strict=True):
                right = enrolled.sources[int(values.argmax())] == take.device
                known, far = take.device in enrolled.sources, take in self.arm.strangers
                yield world, take.group, trial.side, known, far, right, knownness

    def _parts(self, method: Method, takes: Sequence[Take], seconds: float | None) -> list[tuple[Take, FloatArray]]:
        """Takes, or their excerpts, as rows; silent ones left out."""
        return [(take, rows) for take in takes for rows in self.heard(method.ear, take, seconds) if len(rows)]

    def heard(self, ear: Ear, take: Take, seconds: float | None = None) -> list[FloatArray]:
        """The rows (B, d) of a take, or of each of its excerpts."""
        place = ear, take, seconds
        if place not in self.rows:
            sound = self._sound(take)
            self.rows[place] = [ear(part) for part in ([sound] if seconds is None else excerpts(sound, seconds))]
        return self.rows[place]

    def _sound(self, take: Take) -> FloatArray:
        if take not in self.sounds:
            self.sounds[take] = self.arm.change(take.samples) if self.arm.change else take.samples
        return self.sounds[take]


def measured(arm: Arm, methods: Sequence[Method]) -> dict[str, Any]:
    """By protocol, unit and method, each figure with its interval."""
    bench = Bench(arm)
    found: dict[str, dict[str, Any]] = {"S tested": {}, "every side tested": {}}
    for unit, seconds in UNITS.items():
        for method in track(methods, f"{arm.name}, {unit}"):
            lines = bench.lines(method, seconds)
            for protocol, chosen in (("S tested", lines.side == "S"), ("every side tested", lines.side != "")):
                found[protocol].setdefault(unit, {})[method.name] = lines.spread(chosen)
    return found


def main(
    manifest: Annotated[Path, typer.Option(help="CSV of takes.")],
    out: Annotated[Path, typer.Option(help="JSON to write.")],
    model: Annotated[list[Path] | None, typer.Option(help="A trained model's folder.")] = None,
    rule: Annotated[list[str] | None, typer.Option(help="Scorers asked of a model.")] = None,
    baseline: Annotated[list[str] | None, typer.Option(help=f"Of {', '.join(BASELINES)}; default all.")] = None,
) -> None:
    """Run every arm and write the figures, arm by arm."""
    methods = [each for folder in model or () for each in model_methods(folder, rule or RULES)]
    methods += baselines(baseline or BASELINES)
    results = {}
    for arm in all_arms(*read_takes(manifest)):
        results[arm.name] = measured(arm, methods)
        out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
