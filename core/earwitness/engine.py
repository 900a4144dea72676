"""The engine: a registry, its models, and what can be asked of them."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import Literal, Self, get_args

from earwitness import __version__
from earwitness.calibration import PairCalibration, support
from earwitness.deciding import Judge
from earwitness.errors import OptionError, RegistryError
from earwitness.listening import Excerpt, Heard, listen
from earwitness.model import Model
from earwitness.network import Device
from earwitness.places import adopt_starter, registry_place, starter_folder
from earwitness.plugins import Catalogue, load_catalogue
from earwitness.second_look import look_again
from earwitness.tracing import all_tracers
from earwitness.types import Verdict
from earwitness_registry import Card, Kind, Registry, StoredClip, Task

__all__ = ["Engine", "Enrolment", "Verification", "open_engine"]

ClipPath = str | PathLike[str] | Excerpt
Asked = Literal["system", "device", "all"]


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What became of one clip given to `enroll`: 'added', 'already enrolled', or why it was refused."""

    clip: str
    source: str
    outcome: Literal["added", "already enrolled", "refused"]
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether two clips have one source: cosine `similarity` and, when calibrated, a likelihood ratio."""

    clip_a: str
    clip_b: str
    task: Task
    similarity: float
    log10_lr: float | None
    support: str | None
    warnings: tuple[str, ...]
    space: str
    engine: str = __version__
    schema: int = 1


class Engine:
    """Answers for one registry: identify, verify, enroll."""

    def __init__(self, registry: Registry, catalogue: Catalogue, device: Device = "cpu") -> None:
        self.registry = registry
        self.catalogue = catalogue
        self.models: dict[Task, tuple[Model, ...]] = {}
        for stored in registry.models():
            model = Model.load(stored.folder, catalogue, device)
            model.check(stored.probe)
            self.models[stored.task] = (*self.models.get(stored.task, ()), model)
        self._judges: dict[tuple[Task, int], Judge] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.registry.close()

    def own(self) -> Registry:
        """The registry, to be changed: the starter, which never is, gives way to the user's copy of it."""
        if self.registry.read_only and self.registry.folder == starter_folder():
            self.registry.close()
            self.registry = Registry.open(adopt_starter().folder)
            self._judges.clear()
        return self.registry

    def tasks(self, asked: Asked) -> tuple[Task, ...]:
        """The tasks this registry has a model for, of those asked; OptionError when there is none."""
        found = tuple(task for task in get_args(Task) if task in self.models and asked in (task, "all"))
        if not found:
            raise OptionError(
                f"registry {self.registry.name!r} has no model for task {asked!r}: "
                "add one with 'earwitness registry add-model'"
            )
        return found

    def judge(self, task: Task) -> Judge:
        """The judge for a task at the registry's present version."""
        version = self.registry.version
        if (task, version) not in self._judges:
            self._judges = {key: judge for key, judge in self._judges.items() if key[1] == version}
            cards = tuple(card for card in self.catalogue.cards() if card.task == task)
            self._judges[task, version] = Judge(self.registry, self.models[task], cards)
        return self._judges[task, version]

    def listen(self, paths: Iterable[ClipPath], *tasks: Task, traced: bool = False) -> Iterator[Heard]:
        """Hear files, or excerpts of files, in their order, with all models of these tasks, and for traces if asked."""
        excerpts = (path if isinstance(path, Excerpt) else Excerpt(path) for path in paths)
        models = [model for task in tasks for model in self.models[task]]
        return listen(excerpts, models, all_tracers(self.catalogue) if traced else (), self.catalogue.read_clip)

    def identify(self, path: ClipPath, task: Asked = "all", top: int = 5, segments: bool = False) -> list[Verdict]:
        """What made this clip? One verdict a task; a file that can't be heard is a verdict 'error'."""
        verdicts = list(self.identify_many([path], task, top, segments))
        self.log(verdicts)
        return verdicts

    def log(self, verdicts: Sequence[Verdict]) -> None:
        """Put what was asked and answered into the registry's history, where it may be written."""
        if not self.registry.read_only:
            answers = [{"sha256": v.sha256, "task": v.task, "verdict": v.verdict, "source": v.source} for v in verdicts]
            self.registry.record("identify", {"answers": answers})

    def identify_many(
        self, paths: Sequence[ClipPath], task: Asked = "all", top: int = 5, segments: bool = False
    ) -> Iterator[Verdict]:
        """Verdicts clip by clip, one a task; each clip is decoded once, and clips share the networks' batches.

        The system comes first, unless a clip is known as genuine: of that what counts is the device.
        """
        tasks = self.tasks(task)
        judges = [self.judge(each) for each in tasks]
        for heard in self.listen(paths, *tasks, traced=True):
            verdicts = [self._judged(judge, heard, top, segments) for judge in judges]
            for verdict in sorted(verdicts, key=self._is_genuine):
                failed = self.catalogue.announce(verdict)
                yield replace(verdict, warnings=(*verdict.warnings, *failed)) if failed else verdict

    def _judged(self, judge: Judge, heard: Heard, top: int, segments: bool) -> Verdict:
        """A verdict; where it is to tell parts apart, a change of source is heard once more, from close by."""
        verdict = judge.judge(heard, top, segments)
        if not (segments and verdict.mixed):
            return verdict
        windowed = [expert.model for expert in judge.experts if expert.windowed]
        mixed = look_again(verdict.mixed, heard.excerpt, windowed, self.catalogue.read_clip)
        said = (str(mixed) if warning == str(verdict.mixed) else warning for warning in verdict.warnings)
        return replace(verdict, mixed=mixed, warnings=tuple(said))

    def _is_genuine(self, verdict: Verdict) -> bool:
        """Whether a clip is known as genuine speech."""
        return verdict.source is not None and self.registry.card(verdict.source).kind == "genuine"

    def verify(self, clip_a: ClipPath, clip_b: ClipPath, task: Task = "system") -> Verification:
        """Do two clips have one source? AudioError when either can't be heard."""
        self.tasks(task)
        judge = self.judge(task)
        calibration = judge.calibration
        one, two = (self._comparable(judge, heard) for heard in self.listen([clip_a, clip_b], task))
        similarity = float(judge.mean(one) @ judge.mean(two))
        pairs: PairCalibration | None = calibration.pairs if calibration else None
        log10_lr = pairs.log10_lr(similarity) if pairs else None
        return Verification(
            clip_a=str(one.excerpt),
            clip_b=str(two.excerpt),
            task=task,
            similarity=similarity,
            log10_lr=log10_lr,
            support=support(log10_lr) if log10_lr is not None else None,
            warnings=(*judge.warnings(one), *judge.warnings(two)),
            space=judge.space,
        )

    @staticmethod
    def _comparable(judge: Judge, heard: Heard) -> Heard:
        """A file that was heard and can bear an answer, or its error."""
        if heard.error:
            raise heard.error
        if abstention := judge.abstention(heard):
            raise OptionError(f"{heard.excerpt} can't be compared: {abstention}")
        return heard

    def enroll(self, source: str, paths: Sequence[ClipPath], kind: Kind | None = None) -> list[Enrolment]:
        """Add reference clips of a source; what is enrolled already is left as it is."""
        return list(self.enroll_many([(source, path) for path in paths], kind))

    def enroll_many(
        self, clips: Sequence[tuple[str, ClipPath]], kind: Kind | None = None, cards: Sequence[Card] = ()
    ) -> Iterator[Enrolment]:
        """Enrol (source, path) pairs one by one; each is one transaction, so a kill loses none that was reported.

        Of the `cards` given, those of these sources replace what was known of them.
        """
        registry, sources = self.own(), {source for source, _ in clips}
        given = {card.id: card for card in cards if card.id in sources}
        held = {card.id: card for card in registry.cards()}
        chosen = {source: self._card(source, kind, held | given) for source, _ in clips}
        for card in given.values():
            if held.get(card.id, card) != card:
                registry.update_card(card)
        for task in dict.fromkeys(card.task for card in chosen.values()):
            self.tasks(task)
            own = [(chosen[source], path) for source, path in clips if chosen[source].task == task]
            for (card, _), heard in zip(own, self.listen([path for _, path in own], task), strict=True):
                yield self._enroll(card, heard)

    def _card(self, source: str, kind: Kind | None, known: Mapping[str, Card]) -> Card:
        """The card given or held of a source, else a plugin's, else a plain one."""
        card = known.get(source) or self.catalogue.card(source) or Card(source, kind or "system")
        if kind and kind != card.kind:
            raise OptionError(
                f"{source!r} is of kind {card.kind!r}, not {kind!r}: leave --kind out or choose another id"
            )
        return card

    def _enroll(self, card: Card, heard: Heard) -> Enrolment:
        name = str(heard.excerpt)
        abstention = next((track.abstention for track in heard.tracks.values() if track.abstention), None)
        if heard.error or abstention or heard.origin is None:
            return Enrolment(name, card.id, "refused", str(heard.error or abstention))
        origin = asdict(heard.origin)
        del origin["path"]
        if heard.excerpt.made:
            origin["made"] = heard.excerpt.made
        clip = StoredClip(
            sha256=origin.pop("sha256") + heard.excerpt.span,
            samples_sha256=origin.pop("samples_sha256"),
            path=name,
            duration=origin.pop("duration"),
            origin=origin,
            added=datetime.now(UTC).isoformat(timespec="seconds"),
            cell=heard.excerpt.cell,
        )
        vectors = {space: (track.starts, track.embeddings) for space, track in heard.tracks.items()}
        try:
            added = self.registry.enroll(card, clip, vectors)
        except RegistryError as error:
            return Enrolment(name, card.id, "refused", str(error))
        return Enrolment(name, card.id, "added" if added else "already enrolled")


def open_engine(registry: Path | None = None, device: Device = "cpu") -> Engine:
    """Open the registry asked for, else the default one (see `earwitness.places`)."""
    place = registry_place(registry)
    read_only = place.starter or not os.access(place.folder, os.W_OK)
    return Engine(Registry.open(place.folder, read_only=read_only), load_catalogue(), device)
