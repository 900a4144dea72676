"""Models: what names a space, what a folder must hold, and the probe that catches a changed world."""

import math
import shutil
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from safetensors.numpy import save_file

from earwitness.errors import OptionError, PipelineError, ProbeError, UnknownPartError
from earwitness.loading import load_pipeline
from earwitness.model import Model, model_folders, space_digest, unit
from earwitness.network import BATCH, OnnxNetwork
from earwitness.plugins import load_catalogue


@pytest.fixture
def network(tmp_path):
    """A file with y = 2 x over (B, frames, dims), made by the onnx package."""
    onnx = pytest.importorskip("onnx")
    tensor, kind = onnx.helper.make_tensor_value_info, onnx.TensorProto.FLOAT
    shape = ["B", 3, 2]
    node = onnx.helper.make_node("Add", ["x", "x"], ["y"])
    graph = onnx.helper.make_graph([node], "double", [tensor("x", kind, shape)], [tensor("y", kind, shape)])
    opset = onnx.helper.make_opsetid("", 17)
    onnx.save(onnx.helper.make_model(graph, opset_imports=[opset], ir_version=8), tmp_path / "network.onnx")
    return tmp_path / "network.onnx"


def pipeline(*settings, name="lfcc-stats"):
    return load_pipeline(name, load_catalogue(), settings)


@given(arrays(np.float32, (3, 5), elements=st.floats(width=32, allow_nan=True, allow_infinity=True)))
def test_any_vector_becomes_unit_and_finite(vectors):
    made = unit(vectors)
    assert made.dtype == np.float32
    np.testing.assert_allclose(np.square(made.astype(np.float64)).sum(axis=1), 1.0, rtol=1e-5)


def test_unit_keeps_directions_and_gives_the_empty_one_to_none():
    vectors = np.array([[3.0, 4.0], [0.0, 0.0], [math.nan, 2.0], [1e30, 1e30]], np.float32)
    expected = [[0.6, 0.8], [0.5**0.5, 0.5**0.5], [0.0, 1.0], [0.5**0.5, 0.5**0.5]]
    np.testing.assert_allclose(unit(vectors), expected, rtol=1e-6)


@pytest.mark.parametrize(
    "setting",
    ["rate=8000", "rate=native", "window=2.0", "window=clip", "frontend=mfcc40", "frontend.lfcc60.filters=24"],
)
def test_what_moves_an_embedding_makes_another_space(setting):
    assert space_digest(pipeline(setting), None) != space_digest(pipeline(), None)


@pytest.mark.parametrize("setting", ["scorer=knn", "hop=1.0", "name=other", "training.epochs=3"])
def test_what_moves_no_embedding_keeps_the_space(setting):
    assert space_digest(pipeline(setting), None) == space_digest(pipeline(), None)


def test_weights_make_the_space_too(tmp_path):
    digests = set()
    for content in (b"one", b"two"):
        (tmp_path / "w").write_bytes(content)
        digests.add(space_digest(pipeline(), tmp_path / "w"))
    assert len(digests) == 2


def test_a_model_without_learning_is_its_recipe(made):
    model = Model.load(made.model, load_catalogue())
    assert model.space == space_digest(model.pipeline, None)
    features = np.random.default_rng(0).standard_normal((2, 9, 4)).astype(np.float32)
    expected = np.concatenate([features.mean(axis=1), features.std(axis=1)], axis=1)
    np.testing.assert_allclose(
        model.embed(features), expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-6
    )


@pytest.mark.parametrize(
    ("files", "error", "told"),
    [
        ({}, PipelineError, "no pipeline.yaml"),
        ({"pipeline.yaml": "{"}, PipelineError, "not YAML"),
        ({"pipeline.yaml": "{name: x, frontend: lfcc06, embedder: stats, scorer: knn}"}, UnknownPartError, "lfcc60"),
        (
            {"pipeline.yaml": "{name: x, frontend: lfcc60, embedder: resnet18, scorer: knn}"},
            PipelineError,
            "weights.safetensors is missing",
        ),
        (
            {
                "pipeline.yaml": "{name: x, frontend: lfcc60, embedder: resnet18, scorer: knn}",
                "weights.safetensors": "w",
            },
            PipelineError,
            "network.onnx is missing",
        ),
        (
            {
                "pipeline.yaml": "{name: x, frontend: lfcc60, embedder: resnet18, scorer: knn}",
                "weights.safetensors": "w",
                "network.onnx": "torn",
            },
            PipelineError,
            "network.onnx is damaged",
        ),
    ],
)
def test_a_folder_that_is_no_model_says_what_is_wrong(tmp_path, files, error, told):
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    with pytest.raises(error, match=told):
        Model.load(tmp_path, load_catalogue())


def test_a_torn_network_is_an_error_at_any_byte(network):
    whole = network.read_bytes()
    for size in range(0, len(whole) - 1, 7):
        network.write_bytes(whole[:size])
        with pytest.raises(PipelineError, match="damaged"):
            OnnxNetwork(network)


@pytest.fixture
def trained(network):
    """A folder that loads as a trained model, with a head for two sources."""
    folder = network.parent
    (folder / "pipeline.yaml").write_text("{name: x, frontend: lfcc60, embedder: resnet18, scorer: knn}")
    (folder / "weights.safetensors").write_bytes(b"w")
    save_file({"directions": np.eye(2, dtype=np.float32)}, folder / "head.safetensors", {"sources": '["b", "a"]'})
    return folder


def test_heads_come_by_the_names_of_their_sources_and_move_no_space(trained):
    model = Model.load(trained, load_catalogue())
    assert {source: head.tolist() for source, head in model.heads.items()} == {"b": [1, 0], "a": [0, 1]}
    (trained / "head.safetensors").unlink()
    headless = Model.load(trained, load_catalogue())
    assert headless.heads == {}
    assert headless.space == model.space


def test_a_torn_head_is_an_error_at_any_byte(trained):
    file = trained / "head.safetensors"
    whole = file.read_bytes()
    for size in range(len(whole)):
        file.write_bytes(whole[:size])
        with pytest.raises(PipelineError, match=r"head.safetensors is damaged.*train the model again"):
            Model.load(trained, load_catalogue())


@pytest.mark.parametrize(
    ("name", "metadata"),
    [
        ("directions", None),
        ("directions", {"sources": '["b"]'}),
        ("directions", {"sources": "b, a"}),
        ("heads", {"sources": '["b", "a"]'}),
    ],
)
def test_a_head_that_is_none_is_an_error(trained, name, metadata):
    save_file({name: np.eye(2, dtype=np.float32)}, trained / "head.safetensors", metadata)
    with pytest.raises(PipelineError, match=r"head.safetensors is damaged"):
        Model.load(trained, load_catalogue())


@pytest.mark.parametrize("count", [1, BATCH, BATCH + 1, 2 * BATCH + 6])
def test_a_network_answers_in_batches_as_one(network, count):
    features = np.random.default_rng(0).standard_normal((count, 3, 2)).astype(np.float32)
    np.testing.assert_array_equal(OnnxNetwork(network)(features), 2 * features)


def test_a_gpu_that_is_not_there_is_an_option_error(network, monkeypatch):
    import onnxruntime

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(OptionError, match="onnxruntime-gpu"):
        OnnxNetwork(network, "cuda")


def test_the_probe_repeats_itself_and_passes(made, tmp_path):
    model = Model.load(made.model, load_catalogue())
    copied = Model.load(shutil.copytree(made.model, tmp_path / "copy"), load_catalogue())
    np.testing.assert_array_equal(model.probe(), copied.probe())
    assert np.linalg.norm(model.probe()) == pytest.approx(1.0)
    model.check(copied.probe())


def test_a_changed_computation_is_caught(made):
    model = Model.load(made.model, load_catalogue())
    stored = model.probe()
    louder = replace(model, embedder=lambda features: 7 * model.embedder(features))
    louder.check(stored)  # length is no part of a unit embedding
    changed = replace(model, embedder=lambda features: model.embedder(features) + 0.5)
    with pytest.raises(ProbeError, match="enrol the clips again"):
        changed.check(stored)
    with pytest.raises(ProbeError, match=r"cosine 0\.0000"):
        model.check(stored[:-1])


def test_a_folder_holds_a_model_or_the_models_of_experts(tmp_path):
    for name in ("zeta", "alpha"):
        (tmp_path / "wild" / name).mkdir(parents=True)
        (tmp_path / "wild" / name / "pipeline.yaml").touch()
    (tmp_path / "wild" / "notes").mkdir()
    assert model_folders(tmp_path / "wild") == (tmp_path / "wild" / "alpha", tmp_path / "wild" / "zeta")
    assert model_folders(tmp_path / "wild" / "zeta") == (tmp_path / "wild" / "zeta",)
    (tmp_path / "wild" / "pipeline.yaml").touch()  # a model with models in it is one model
    assert model_folders(tmp_path / "wild") == (tmp_path / "wild",)
    for none in (tmp_path / "gone", tmp_path / "wild" / "notes"):
        with pytest.raises(PipelineError, match="is not a model"):
            model_folders(none)
