"""One recipe with one seed, from training to figures; what is done stays done when the run is killed."""

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from time import perf_counter
from typing import Any

from earwitness.bench.cost import cost_of
from earwitness.bench.ground import Ground, called, model_of
from earwitness.bench.kept import keep_features
from earwitness.bench.progress import Bar
from earwitness.engine import Engine, open_engine
from earwitness.errors import RegistryError
from earwitness.evaluation import calibrate_registry
from earwitness.evaluation.trial import Trial
from earwitness.model import Model, model_folders
from earwitness.pipeline import Pipeline
from earwitness.references import references
from earwitness.training import train
from earwitness.training.experts import expert_folders, finished
from earwitness.types import Kind, Task
from earwitness_registry import Registry
from earwitness_registry.files import file_sha256, sha256, write_whole

__all__ = ["Attempt"]

NEITHER = r"[^\w.-]+"
"""What has no place in a file's name."""


@dataclass(frozen=True)
class Attempt:
    """A `recipe`, as it was asked for, with its `experts` and a seed; a model that is trained is asked as it is."""

    ground: Ground
    recipe: str
    experts: tuple[Pipeline, ...]
    seed: int

    @property
    def task(self) -> Task:
        """The question that it answers."""
        return self.experts[0].task

    @property
    def name(self) -> str:
        """What it is called in tables."""
        return called(self.recipe, self.ground.catalogue)

    @property
    def missing(self) -> tuple[str, ...]:
        """The conditions that it has still to be measured under."""
        return tuple(name for name in self.ground.conditions if not self.cell(name).is_file())

    def cell(self, condition: str) -> Path:
        """The file of the row of one condition."""
        return self.ground.out / "cells" / f"{self._stem}-{condition}.json"

    @cached_property
    def _stem(self) -> str:
        """Recipe and seed as a file's name, and a digest of all that decides its figures."""
        parts = [self.ground.digest, [expert.to_dict() for expert in self.experts], self.seed, *self._weights]
        digest = sha256(json.dumps(parts, sort_keys=True).encode())
        return f"{re.sub(NEITHER, '-', self.name)}-{self.seed}-{digest[:12]}"

    @property
    def _given(self) -> Path | None:
        """The trained model that it is, if it is one."""
        return model_of(self.recipe, self.ground.catalogue)

    @property
    def _weights(self) -> list[str]:
        """Digests of the files of a given model; of others training and seed decide."""
        folders = model_folders(self._given) if self._given else ()
        return sorted(file_sha256(file) for folder in folders for file in folder.iterdir() if file.is_file())

    @property
    def _models(self) -> Path:
        """The folder of its models."""
        return self._given or self._home / "model"

    @property
    def _home(self) -> Path:
        return self.ground.work / self._stem

    @property
    def _registry(self) -> Path:
        return self._home / "registry"

    def measure(self, bar: Bar) -> None:
        """Write a cell for each condition that is missing.

        Raises:
            EarwitnessError: something of it can't be done.
        """
        self._prepare(bar)
        ground = self.ground
        with self._opened() as engine:
            trial = Trial(engine, ground.manifest, unknown_column=ground.unknown_column, leaks=ground.leaks)
            scored = trial.hear(self.task)
            for condition in self.missing:
                bar.tell(condition)
                if condition == "clean":
                    figures = trial.figures(self.task, scored)
                else:
                    folder = ground.clips / condition
                    folder.mkdir(parents=True, exist_ok=True)
                    figures = trial.after(condition, self.task, scored, folder)
                self._write(self.cell(condition), self._row(condition, figures))
                bar.advance()

    def _row(self, condition: str, figures: Mapping[str, Any]) -> dict[str, Any]:
        """A row of the comparison."""
        return {
            "recipe": self.name,
            "task": self.task,
            "seed": self.seed,
            "condition": condition,
            "command": self.ground.command(self.recipe, self.seed, condition),
            "cost": json.loads((self._home / "cost.json").read_text(encoding="utf-8")),
            "figures": figures,
        }

    def _prepare(self, bar: Bar) -> None:
        """Train, enrol, calibrate and weigh, as far as that isn't done."""
        lesson, cost = self._home / "lesson.json", self._home / "cost.json"
        if not lesson.is_file():
            bar.tell("training")
            self._write(lesson, {"training_seconds": self._train()})
        if not self._registry.is_dir():
            bar.tell("enrolling")
            self._fill(bar)
        if not cost.is_file():
            bar.tell("timing")
            rows = self.ground.manifest.select(split="test", task=self.task).rows
            found = cost_of(self._models, self._registry, self.task, rows, self.ground.device)
            self._write(cost, {**json.loads(lesson.read_text(encoding="utf-8")), **found})

    def _train(self) -> float:
        """Seconds that training took, 0 for a given model; after a kill, those of the start that ended it."""
        if self._given:
            return 0.0
        began = perf_counter()
        for folder, expert in expert_folders(self.experts, self._models).items():
            if not finished(folder, expert):
                train(expert, self.ground.manifest, folder, seed=self.seed, device=self.ground.device, quiet=True)
        return perf_counter() - began

    def _fill(self, bar: Bar) -> None:
        """A registry of the training clips, calibrated on development clips; there whole or not at all."""
        draft = self._registry.with_name("draft")
        shutil.rmtree(draft, ignore_errors=True)
        with Registry.create(draft, self._home.name) as made:
            for folder in model_folders(self._models):
                Model.load(folder, self.ground.catalogue).add_to(made, folder)
        with self._opened(draft) as engine:
            self._enrol(engine, bar)
            bar.tell("calibrating")
            calibrate_registry(engine, self.ground.manifest.select(split="dev", task=self.task), self.ground.far)
        draft.rename(self._registry)

    def _enrol(self, engine: Engine, bar: Bar) -> None:
        """Enrol the training clips; RegistryError where none can be."""
        kind: Kind | None = "device" if self.task == "device" else None
        found = references(self.ground.manifest.select(split="train", task=self.task), kind)
        steps = chain.from_iterable(engine.enroll_many(pairs, each) for each, pairs in found.items())
        outcomes = list(bar.steps(steps, sum(map(len, found.values())), "enrolling"))
        refused = [outcome for outcome in outcomes if outcome.outcome == "refused"]
        if len(refused) == len(outcomes):
            raise RegistryError(f"no clip could be enrolled; first: {refused[0].clip}: {refused[0].reason}")

    def _opened(self, registry: Path | None = None) -> Engine:
        """An engine over its registry that shares features with others."""
        engine = open_engine(registry or self._registry, self.ground.device)
        keep_features(engine, self.ground.work / "features")
        return engine

    @staticmethod
    def _write(file: Path, data: Mapping[str, Any]) -> None:
        write_whole(file, json.dumps(data, allow_nan=False).encode())
