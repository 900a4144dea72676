"""Losses for the branches of a network: what descends is their weighted sum, and answering needs nothing of it."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("sklearn")

import torch
from safetensors.torch import load_file
from torch.nn import functional

from earwitness.contracts import Branched
from earwitness.errors import PipelineError
from earwitness.loading import load_pipeline
from earwitness.model import Model
from earwitness.pipeline import Pipeline, Recipe
from earwitness.plugins import load_catalogue
from earwitness.training import loop, train
from earwitness.training.learner import Learner, prototypical_cosines
from earwitness_embedders import Pstnn, ResNet18
from earwitness_frontends import Lfcc
from earwitness_scorers import Softmax

PSTNN = Pstnn(components=8, frames=4, hidden=(16, 12), dropout=0.0, dim=5)
SHAPE, CLASSES = (12, 9), 3
WEIGHTS = (0.25, 0.5, 0.25)
RECIPE = Recipe(weight_decay=0.0, losses=WEIGHTS)


def learner(recipe, embedder=PSTNN):
    return Learner(embedder, recipe, SHAPE, CLASSES, seed=0)


def batch(count=6):
    rng = np.random.default_rng(0)
    return rng.standard_normal((count, *SHAPE)).astype(np.float32), np.arange(count) // 2 % CLASSES


def given(model, features):
    """What the embedding and the branches are in training, put together from the network's own layers."""
    network = deepcopy(model.network).train()
    with torch.no_grad():
        supervector, _, frames = network.parted(torch.from_numpy(features))
        spatial, temporal = network.sides["spatial"](supervector), network.sides["temporal"](frames)
        return network.project(network.fuse(torch.stack([spatial, temporal], 1))), spatial, temporal


def smoothed(cosines, labels, recipe):
    """(1 - e) CE with the class + e CE with all classes alike, float64."""
    logs = functional.log_softmax(recipe.scale * cosines.double(), dim=1)
    own = logs[torch.arange(len(labels)), torch.as_tensor(labels)]
    return -((1 - recipe.smoothing) * own + recipe.smoothing * logs.mean(dim=1)).mean()


@pytest.mark.parametrize("weights", [WEIGHTS, (1.0, 0.0, 0.0), (0.5, 2.0, 0.0)])
def test_the_loss_is_the_weighted_sum_over_embedding_and_branches(weights):
    recipe = replace(RECIPE, losses=weights)
    learning, (features, labels) = learner(recipe), batch()
    heads = [learning.model.head, *learning.model.branch_heads]
    assert [tuple(head.weight.shape) for head in heads] == [(3, 5), (3, 12), (3, 12)]
    expected = sum(
        weight * smoothed(functional.normalize(found) @ functional.normalize(head.weight).T, labels, recipe)
        for weight, found, head in zip(weights, given(learning.model, features), heads, strict=True)
    )
    assert learning.step(features, labels) == pytest.approx(expected.item(), rel=1e-3)


def test_in_an_episode_branches_are_compared_with_means_of_their_own():
    recipe = replace(RECIPE, shots=2)
    learning, (features, labels) = learner(recipe), batch()
    episodes = [prototypical_cosines(functional.normalize(each), 2) for each in given(learning.model, features)]
    expected = sum(w * smoothed(*each, recipe) for w, each in zip(WEIGHTS, episodes, strict=True))
    assert learning.step(features, labels) == pytest.approx(expected.item(), rel=1e-3)


def test_a_branchs_loss_teaches_that_branch():
    learning = learner(replace(RECIPE, losses=(0.0, 1.0, 0.0)))
    before = learning.weights()
    learning.step(*batch())
    changed = {key for key, each in learning.model.named_parameters() if not torch.equal(each, before[key])}
    reached = ("network.parted.supervector.", "network.sides.spatial.", "branch_heads.0.")
    assert changed == {key for key, _ in learning.model.named_parameters() if key.startswith(reached)}


def test_a_network_of_branches_shows_first_what_it_answers():
    torch.manual_seed(0)
    network = PSTNN.network(SHAPE[1]).eval()
    features = torch.from_numpy(batch()[0])
    with torch.inference_mode():
        embedding, *branches = network.branches(features)
        assert torch.equal(embedding, network(features))
    assert isinstance(network, Branched)
    assert [tuple(each.shape) for each in branches] == [(6, 12), (6, 12)]
    assert not isinstance(ResNet18(width=2).network(9), Branched)


def test_without_losses_the_embedding_alone_counts():
    learning, (features, labels) = learner(replace(RECIPE, losses=())), batch()
    assert not learning.model.branch_heads
    embedding = functional.normalize(given(learning.model, features)[0])
    expected = smoothed(embedding @ functional.normalize(learning.model.head.weight).T, labels, RECIPE)
    assert learning.step(features, labels) == pytest.approx(expected.item(), rel=1e-3)


@pytest.mark.parametrize(
    ("embedder", "losses", "told"),
    [
        (PSTNN, (1.0,), "has 1 weights.*2 branches: give 3"),
        (PSTNN, (0.5, 0.5), "has 2 weights.*2 branches: give 3"),
        (PSTNN, (0.25,) * 4, "has 4 weights.*2 branches: give 3"),
        (ResNet18(width=2, dim=4), (0.5, 0.5), "has 2 weights.*0 branches: give 1"),
    ],
)
def test_losses_that_do_not_fit_the_network_are_refused(embedder, losses, told):
    with pytest.raises(PipelineError, match=told):
        learner(replace(RECIPE, losses=losses), embedder)


def test_losses_are_numbers_in_yaml():
    catalogue = load_catalogue()
    recipe = load_pipeline("pstnn-quick", catalogue, ("training.losses=[1, 5e-1, .25]",))
    assert recipe.training.losses == (1.0, 0.5, 0.25)
    assert Pipeline.from_yaml(recipe.to_yaml(), catalogue) == recipe
    with pytest.raises(PipelineError, match=r"training: losses is 'half', not a number"):
        load_pipeline("pstnn-quick", catalogue, ("training.losses=[half]",))


@pytest.mark.parametrize("name", ["pstnn", "pstnn-quick"])
def test_the_published_weights_fit_the_published_network(name):
    """0.25 of the fused, 0.5 of the spatial and 0.25 of the temporal branch."""
    pipeline = load_pipeline(name, load_catalogue())
    assert pipeline.training.losses == WEIGHTS
    small = replace(pipeline.embedder, components=8, frames=4, hidden=(8,), dim=4)
    learner(pipeline.training, small).step(*batch())


WHOLE = Pipeline(
    "branched",
    Lfcc(),
    Pstnn(components=8, frames=30, hidden=(6,), dim=4),
    Softmax(),
    window=0.4,
    hop=0.4,
    training=Recipe(epochs=3, steps=3, batch=8, crop=0.4, losses=WEIGHTS),
)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def made(watched, cache, tmp_path_factory):
    return train(WHOLE, watched, tmp_path_factory.mktemp("model") / "made", cache=cache, quiet=True)


def test_a_model_keeps_one_head_and_answers_by_the_embedding(made):
    weights = load_file(made / "weights.safetensors")
    assert {key.partition(".")[0] for key in weights} == {"network", "head"}
    network = WHOLE.embedder.network(60).eval()
    network.load_state_dict({k.removeprefix("network."): each for k, each in weights.items() if "network." in k})
    features = np.random.default_rng(1).standard_normal((4, 38, 60)).astype(np.float32)
    with torch.inference_mode():
        expected = network(torch.from_numpy(features)).numpy()
    answered = Model.load(made, load_catalogue()).embedder(features)
    np.testing.assert_allclose(answered, expected, atol=1e-4 * np.abs(expected).max())


class StoppedError(Exception):
    pass


def test_stopped_and_begun_again_it_ends_as_without_a_stop(made, watched, cache, tmp_path, monkeypatch):
    def stopping(*arguments, save=loop.checkpoint.save):
        save(*arguments)
        raise StoppedError

    monkeypatch.setattr("earwitness.training.export.export_network", lambda *_: None)
    with monkeypatch.context() as patch:
        patch.setattr(loop.checkpoint, "save", stopping)
        with pytest.raises(StoppedError):
            train(WHOLE, watched, tmp_path, cache=cache, quiet=True)
    again = train(WHOLE, watched, tmp_path, cache=cache, quiet=True)
    expected, found = (load_file(folder / "weights.safetensors") for folder in (made, again))
    assert expected.keys() == found.keys()
    assert all(torch.equal(found[key], expected[key]) for key in expected)
