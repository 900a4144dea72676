"""The trials of benchmarks/hierarchy.py: which version is left out, who is enrolled, and which clips set what."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from openset_arms import Asked, Space, grouped
from openset_features import hear
from safetensors.numpy import save_file

from earwitness.contracts import Scorer
from earwitness.deciding import Judge
from earwitness.evaluation.scoring import Listened
from earwitness.listening import Excerpt, Heard, Track
from earwitness.manifest import Manifest, Row
from earwitness.model import Model
from earwitness.pipeline import Pipeline
from earwitness.plugins import load_catalogue
from earwitness.training.closed_form import voices
from earwitness.types import Card, IntArray
from earwitness_registry import Registry, StoredClip

Mask = NDArray[np.bool_]
Families = Mapping[str, str]

PARTS = 5
"""Parts of the pages: one is tested, the next is development's, the others are enrolled."""
THIRDS = 3


@dataclass(frozen=True)
class Trial:
    """One version `left` out of a space: what is enrolled, what development hears, what is tested.

    `families` are those of sources that have one; `levels` the columns by which clips are grouped.
    """

    left: str
    space: Space
    families: Families
    enrolled: Asked
    dev: Asked
    test: Asked
    levels: tuple[str, ...]


def judges(trial: Trial, scorers: Sequence[Scorer], folder: Path) -> Iterator[Judge]:
    """A judge for each scorer, over one registry in an empty folder."""
    catalogue, pipeline = load_catalogue(), trial.space.pipeline
    (folder / "model").mkdir()
    (folder / "model" / "pipeline.yaml").write_text(pipeline.to_yaml(), encoding="utf-8")
    save_file({k: np.ascontiguousarray(v) for k, v in trial.space.state.items()}, folder / "model/weights.safetensors")
    model = Model.load(folder / "model", catalogue)
    with Registry.create(folder / "registry") as registry:
        model.add_to(registry, folder / "model")
        for row, heard in listened(trial.enrolled, model.space).counted:
            card, track = Card(row.source or "", family=trial.families.get(row.source or "")), heard.tracks[model.space]
            clip = StoredClip(str(row.path), str(row.path), str(row.path), cell=row.voice)
            registry.enroll(card, clip, {model.space: (track.starts, track.embeddings)})
        for scorer in scorers:
            yield Judge(registry, (replace(model, pipeline=replace(pipeline, scorer=scorer)),))


def listened(asked: Asked, space: str) -> Listened:
    """Clips as an engine would have heard them."""
    windows = (asked.windows[asked.clips == number] for number in range(len(asked.rows)))
    tracks = (Track(np.arange(len(each), dtype=np.float32), each, 1.0) for each in windows)
    pairs = (
        (row, Heard(Excerpt(row.path), tracks={space: track})) for row, track in zip(asked.rows, tracks, strict=True)
    )
    return Listened(tuple(pairs), ())


def engines(pipeline: Pipeline, manifest: Manifest, cache: Path) -> Iterator[Trial]:
    """Each engine that has kin by the cards."""
    train, dev, test = (manifest.select(split=split).rows for split in ("train", "dev", "test"))
    learned = hear(pipeline, train, pipeline.training.versions, cache)
    held, asked = hear(pipeline, dev, [()], cache), hear(pipeline, test, [()], cache)
    cards = [card for source in {row.source or "" for row in train} if (card := load_catalogue().card(source))]
    families = {card.id: card.family for card in cards if card.family}
    for left in _with_kin(families):
        space = Space(pipeline, learned, train, voices(train), ~_of(train, {left}), cache)
        yield Trial(
            left,
            space,
            families,
            space.ask(learned, train, space.learned),
            space.ask(held, dev, ~_of(dev, {left})),
            space.ask(asked, test, np.ones(len(test), bool)),
            ("source", "voice"),
        )


def across_pages(pipeline: Pipeline, manifest: Manifest, cache: Path) -> Iterator[Trial]:
    """Each acoustic model: enrolled, development's and tested clips are of different pages."""
    part = grouped(manifest.rows) % PARTS
    for tested in range(PARTS):
        turn = (part - tested) % PARTS
        yield from _acoustic_models(pipeline, manifest, cache, np.minimum(turn, 2), pages=True)


def within_pages(pipeline: Pipeline, manifest: Manifest, cache: Path) -> Iterator[Trial]:
    """Each acoustic model: of a source's clips on a page a third each is tested, development's and enrolled."""
    seen: dict[tuple[str, str], int] = {}
    turn = []
    for row in manifest.rows:
        place = (row.source or "", row.columns["corpus"])
        seen[place] = seen.get(place, -1) + 1
        turn.append(2 - seen[place] % THIRDS)
    yield from _acoustic_models(pipeline, manifest, cache, np.array(turn), pages=False)


def _acoustic_models(
    pipeline: Pipeline, manifest: Manifest, cache: Path, turn: IntArray, pages: bool
) -> Iterator[Trial]:
    """Each acoustic model's chains left out together, by the `turn` of clips: 0 tested, 1 development's, 2 enrolled.

    Of what is left out, all clips are tested; with `pages` only those whose turn it is.
    """
    rows = manifest.rows
    heard = hear(pipeline, rows, pipeline.training.versions, cache)
    families = {row.source or "": row.columns["vocoder"] for row in rows if row.columns["vocoder"]}
    models = {source: row.columns["acoustic_model"] for row in rows if (source := row.source or "") in families}
    cells = np.unique([f"{row.source} {row.columns['corpus']}" for row in rows], return_inverse=True)[1]
    for left in sorted(set(models.values())):
        gone = _of(rows, {source for source, model in models.items() if model == left})
        space = Space(pipeline, heard, rows, cells, (turn == 2) & ~gone, cache)
        borne = _of(rows, {source for source in families if families[source] in _families(space.sources, families)})
        strange = gone & borne & ((turn == 0) | (not pages))
        if strange.any():
            known = (turn == 0) & _of(rows, set(space.sources))
            yield Trial(
                left or "none",
                space,
                families,
                space.ask(heard, rows, space.learned),
                space.ask(heard, rows, (turn == 1) & ~gone),
                space.ask(heard, rows, strange | known),
                ("corpus",),
            )


def _families(sources: Sequence[str], families: Families) -> set[str]:
    return {families[source] for source in sources if source in families}


def _with_kin(families: Families) -> list[str]:
    listed = list(families.values())
    return sorted(source for source, family in families.items() if listed.count(family) > 1)


def _of(rows: Sequence[Row], sources: set[str]) -> Mask:
    return np.array([row.source in sources for row in rows])
