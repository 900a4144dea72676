"""Frontends that learn, through training, models and answers."""

import json
import shutil
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
from safetensors.numpy import load_file

from earwitness.audio import read_clip
from earwitness.contracts import FittedFrontend, Frontend
from earwitness.errors import PipelineError
from earwitness.loading import load_pipeline
from earwitness.manifest import read_manifest
from earwitness.model import Model, settled, space_digest
from earwitness.parts import Settled, describe
from earwitness.pipeline import Pipeline
from earwitness.plugins import load_catalogue
from earwitness.training.features import InTurn, Rendered, derive
from earwitness.windows import cut
from earwitness_frontends import Gsv, Ivector, Mfcc39

RECIPE = """
name: small-gsv
window: 1.0
hop: 0.5
frontend: {gsv: {components: 4, steps: 3}}
embedder: EMBEDDER
scorer: knn
"""


@dataclass(frozen=True)
class Centred:
    """A frontend that learns the middle of all frames."""

    name: ClassVar[str] = "centred"

    def __call__(self, samples, rate):  # noqa: ARG002
        return samples[..., None]

    def fit(self, clips):
        return {"middle": np.float32([np.mean([clip.mean() for clip in clips])])}

    def features(self, state, frames):
        return frames - state["middle"]


def test_what_learns_is_told_from_what_does_not():
    assert all(isinstance(part, FittedFrontend) for part in (Gsv(), Ivector(), Centred()))
    assert not isinstance(Mfcc39(), FittedFrontend)
    fitted = Settled(Centred(), "d", {"middle": np.ones(1, np.float32)})
    assert isinstance(fitted, Frontend)
    assert not isinstance(fitted, FittedFrontend)


def test_a_settled_frontend_gives_features_and_is_told_by_what_it_learned():
    one, other = (Settled(Centred(), digest, {"middle": np.ones(1, np.float32)}) for digest in ("one", "other"))
    np.testing.assert_array_equal(one(np.full((2, 3), 5.0, np.float32), 8000), np.full((2, 3, 1), 4.0))
    assert one != other
    assert describe(one) != describe(other)
    assert "array" not in repr(one)
    assert json.dumps(describe(one))


@pytest.fixture(scope="module")
def trained(made, tmp_path_factory):
    """Folders of models with a fitted frontend, by embedder."""
    pytest.importorskip("torch", reason="training needs the extra train")
    pytest.importorskip("sklearn", reason="training needs the extra train")
    from earwitness.training import train

    home = tmp_path_factory.mktemp("fitted")
    manifest = read_manifest(made.manifest)
    for embedder in ("stats", "wccn"):
        pipeline = Pipeline.from_yaml(RECIPE.replace("EMBEDDER", embedder), load_catalogue())
        train(pipeline, manifest, home / embedder, cache=home / "cache", quiet=True)
    return home


def windows_of(made):
    clip = read_clip(made.home / made.rows[0]["path"])
    return next(cut([clip.samples], clip.rate, 1.0, 0.5))


@pytest.mark.parametrize("embedder", ["stats", "wccn"])
def test_a_model_answers_by_what_its_frontend_learned(made, trained, embedder):
    model = Model.load(trained / embedder, load_catalogue())
    part, state = Gsv(components=4, steps=3), load_file(trained / embedder / "frontend.safetensors")
    assert state["means"].shape == (4, 39)
    windows = windows_of(made)
    expected = part.features(state, Mfcc39()(windows.samples, windows.rate))
    np.testing.assert_allclose(model.features(windows), expected, rtol=1e-5)
    assert model.embed(model.features(windows)).shape[0] == len(windows.samples)
    model.check(model.probe())
    assert "by the nearest mean embedding" in (trained / embedder / "card.md").read_text()
    assert (trained / embedder / "weights.safetensors").exists() == (embedder == "wccn")


def test_the_state_was_learned_from_the_frames_of_training_clips(made, trained):
    clips = []
    for row in made.rows:
        if row["split"] == "train":
            clip = read_clip(made.home / row["path"])
            windows = np.concatenate([w.samples for w in cut([clip.samples], clip.rate, 1.0, 0.5)])
            clips.append(Mfcc39()(windows, clip.rate).astype(np.float16).astype(np.float32))  # as they are kept
    expected = Gsv(components=4, steps=3).fit(clips)
    state = load_file(trained / "stats" / "frontend.safetensors")
    np.testing.assert_allclose(state["means"], expected["means"], rtol=1e-5, atol=1e-5)


def test_what_a_frontend_learned_is_part_of_the_space(trained, tmp_path):
    model = Model.load(trained / "stats", load_catalogue())
    folder = shutil.copytree(trained / "stats", tmp_path / "copy")
    assert Model.load(folder, load_catalogue()).space == model.space == space_digest(model.pipeline, None)
    shutil.copy(trained / "stats" / "frontend.safetensors", folder / "other")
    data = bytearray((folder / "frontend.safetensors").read_bytes())
    data[-1] ^= 1
    (folder / "frontend.safetensors").write_bytes(data)
    assert Model.load(folder, load_catalogue()).space != model.space


def test_the_recipe_stays_a_recipe(trained):
    model = Model.load(trained / "stats", load_catalogue())
    plain = replace(model.pipeline, frontend=Gsv(components=4, steps=3))
    assert Pipeline.from_yaml(model.pipeline.to_yaml(), load_catalogue()) == plain


@pytest.mark.parametrize(("fault", "told"), [("gone", "is missing: train the model again"), ("torn", "is damaged")])
def test_a_state_that_is_gone_or_torn_is_an_error(trained, tmp_path, fault, told):
    folder = shutil.copytree(trained / "stats", tmp_path / "copy")
    file = folder / "frontend.safetensors"
    whole = file.read_bytes()
    file.unlink()
    if fault == "torn":
        file.write_bytes(whole[:-3])
    with pytest.raises(PipelineError, match=rf"frontend.safetensors {told}"):
        Model.load(folder, load_catalogue())


def rendered(folder, name, values):
    """A clip of two versions, of a window of frames each."""
    files = tuple(folder / f"{name}-{version}.npy" for version in range(2))
    for file, value in zip(files, values, strict=True):
        np.save(file, np.full((1, 3, 1), value, np.float16))
    return Rendered(files)


def test_clips_are_learned_from_in_one_version_each(tmp_path):
    clips = InTurn(tuple(rendered(tmp_path, name, (name, 10 + name)) for name in range(4)))
    assert [float(clip.mean()) for clip in clips] == [0, 11, 2, 13] == [float(clip.mean()) for clip in clips]


def test_features_are_derived_once_for_each_state(tmp_path):
    clips = [rendered(tmp_path, name, (name, 10 + name)) for name in range(2)]
    cache = tmp_path / "cache"
    cache.mkdir()
    by = {digest: Settled(Centred(), digest, {"middle": np.full(1, float(digest), np.float32)}) for digest in "12"}
    first = derive(clips, by["1"], cache, quiet=True)
    assert [clip.windows(v).mean() for clip in first for v in range(2)] == [-1, 9, 0, 10]
    stamps = {file: file.stat().st_mtime_ns for file in cache.iterdir()}
    assert derive(clips, by["1"], cache, quiet=True) == first
    assert {file: file.stat().st_mtime_ns for file in cache.iterdir()} == stamps
    assert derive(clips, by["2"], cache, quiet=True)[1].windows(1).mean() == 9


def test_answering_needs_neither_scikit_learn_nor_torch(made, trained, command, tmp_path):
    registry = ("--registry", tmp_path / "registry")
    command("registry", "init", "--model", trained / "wccn", *registry)
    command("enroll", "--manifest", made.manifest, "--split", "train", *registry)
    code = (
        "import sys\nfrom earwitness.cli import main\ntry:\n    main()\nfinally:\n"
        "    print({'torch', 'sklearn', 'scipy'} & sys.modules.keys(), file=sys.stderr)"
    )
    done = command("identify", made.home / made.rows[0]["path"], "--json", *registry, code=code)
    assert done.stderr.endswith("set()\n")
    assert json.loads(done.stdout)[0]["ranking"][0]["source"] == made.rows[0]["source"]


@pytest.mark.parametrize("name", ["gsv", "ivector"])
def test_the_baselines_are_pipelines_for_devices(name):
    pipeline = load_pipeline(name, load_catalogue())
    assert (pipeline.task, pipeline.frontend.name) == ("device", name)


def test_a_file_settles_a_frontend(trained):
    fitted = settled(Gsv(components=4, steps=3), trained / "stats" / "frontend.safetensors")
    assert fitted == Model.load(trained / "stats", load_catalogue()).pipeline.frontend
