"""Embedders: against NumPy, SpeechBrain and themselves as ONNX; one window never touches another."""

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from earwitness.contracts import Embedder, LearnedEmbedder
from earwitness.errors import PipelineError
from earwitness.network import OnnxNetwork
from earwitness.training import export
from earwitness.training.export import export_network
from earwitness_embedders import Cnn1d, CrossScale, Ecapa, ResNet18, Stats

NETWORKS = [ResNet18(width=4, dim=16), Ecapa(channels=16, dim=12), Cnn1d(bands=10, width=16, hidden=64, dim=8)]
DIMS = 20


def lively(embedder, dims=DIMS):
    """The embedder's network in eval mode, its batch statistics far from where they start."""
    torch.manual_seed(3)
    network = embedder.network(dims)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
                module.running_mean.uniform_(-0.5, 0.5)
                module.running_var.uniform_(0.5, 2.0)
    return network.eval()


def features(batch, frames, seed=0):
    return np.random.default_rng(seed).standard_normal((batch, frames, DIMS)).astype(np.float32)


def embed(network, array):
    with torch.inference_mode():
        return network(torch.from_numpy(array)).numpy()


@settings(deadline=None)
@given(st.integers(1, 4), st.integers(1, 30), st.integers(1, 8), st.floats(-1e4, 1e4))
def test_stats_are_mean_and_deviation_of_each_window(batch, frames, dims, offset):
    array = (np.random.default_rng(frames).standard_normal((batch, frames, dims)) + offset).astype(np.float32)
    exact = array.astype(np.float64)
    mean = exact.sum(axis=1) / frames
    deviation = np.sqrt(((exact - mean[:, None]) ** 2).sum(axis=1) / frames)
    vectors = Stats()(array)
    assert vectors.shape == (batch, 2 * dims)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, np.hstack([mean, deviation]), rtol=1e-6, atol=1e-6)


def test_parts_meet_their_contracts():
    assert isinstance(Stats(), Embedder)
    assert not isinstance(Stats(), LearnedEmbedder)
    assert all(isinstance(embedder, LearnedEmbedder) for embedder in NETWORKS)


@pytest.mark.parametrize("embedder", NETWORKS, ids=lambda e: e.name)
@pytest.mark.parametrize("frames", [5, 17, 64])
def test_any_number_of_frames_gives_an_embedding(embedder, frames):
    vectors = embed(lively(embedder), features(3, frames))
    assert vectors.shape == (3, embedder.dim)
    assert np.isfinite(vectors).all()


@pytest.mark.parametrize("embedder", NETWORKS, ids=lambda e: e.name)
def test_each_window_is_embedded_on_its_own(embedder):
    network, array = lively(embedder), features(5, 40)
    alone = np.concatenate([embed(network, array[i : i + 1]) for i in range(5)])
    np.testing.assert_allclose(embed(network, array), alone, atol=1e-5)
    assert np.abs(alone - alone[0]).max(axis=1)[1:].min() > 1e-3


@pytest.mark.parametrize("embedder", NETWORKS, ids=lambda e: e.name)
def test_onnx_equals_torch_for_any_batch(embedder, tmp_path):
    network, array = lively(embedder), features(7, 33, seed=1)
    export_network(network, (33, DIMS), tmp_path / "network.onnx")
    answering = OnnxNetwork(tmp_path / "network.onnx")
    expected = embed(network, array)
    for batch in (1, 2, 7):
        np.testing.assert_allclose(answering(array[:batch]), expected[:batch], atol=1e-4 * np.abs(expected).max())
    assert [path.name for path in tmp_path.iterdir()] == ["network.onnx"]


def test_ecapa_is_speechbrains():
    """With the same weights, SpeechBrain's own network, mask and all, computes the same."""
    from speechbrain.lobes.models.ECAPA_TDNN import ECAPA_TDNN

    ours = lively(Ecapa(channels=16, dim=12))
    theirs = ECAPA_TDNN(DIMS, channels=[16] * 4 + [48], lin_neurons=12).eval()
    names = {"asp.attention.0": "asp.tdnn", "asp.attention.2": "asp.conv"}
    weights = ours.body.state_dict()
    for new, old in names.items():
        weights = {key.replace(new, old): value for key, value in weights.items()}
    theirs.load_state_dict(weights)
    array = torch.from_numpy(features(2, 50))
    with torch.inference_mode():
        normal = ours.normalise(array.transpose(1, 2)).transpose(1, 2)
        np.testing.assert_allclose(ours(array), theirs(normal)[:, 0], atol=1e-5)


def test_resnet_has_the_parameters_of_the_published_layout():
    """He et al., 2016, table 1: 17 convolutions and a projection; widths double over four stages of two blocks."""
    network = ResNet18(width=64, dim=128).network(60)
    convolutions = [m for m in network.modules() if isinstance(m, torch.nn.Conv2d) and m.kernel_size == (3, 3)]
    assert [c.out_channels for c in convolutions] == [64] * 5 + [128] * 4 + [256] * 4 + [512] * 4
    assert sum(m.weight.numel() for m in network.stages.modules() if isinstance(m, torch.nn.Conv2d)) == 11_157_504


def test_statistics_pooling_matches_numpy():
    from earwitness_embedders._resnet_torch import statistics

    array = np.random.default_rng(5).standard_normal((2, 6, 9)).astype(np.float32)
    expected = np.hstack([array.mean(2), np.sqrt(array.var(2) + 1e-5)])
    np.testing.assert_allclose(statistics(torch.from_numpy(array)), expected, atol=1e-6)


def test_cnn1d_sees_a_bump_alike_wherever_it_stands():
    """Convolutions follow a shift along frequency, until the full layer; numbers beside the curves reach that alone."""
    network = lively(Cnn1d(width=8, hidden=16, dim=8), dims=2 * 128 + 3)
    curves = torch.zeros(1, 2, 128)
    curves[..., 46:50] = torch.randn(1, 2, 4, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        here, there = (network.stages(each).numpy() for each in (curves, curves.roll(16, 2)))  # 16 bands are 2 places
    np.testing.assert_allclose(here[..., 6], there[..., 8], atol=1e-5)
    assert np.abs(here[..., 6] - here[..., 8]).max() > 0.01
    assert network.out[1].in_features == here[0].size + 3


def test_cnn1d_wants_a_whole_curve():
    with pytest.raises(PipelineError, match="lower bands"):
        Cnn1d(bands=128).network(60)


@pytest.mark.parametrize("embedder", NETWORKS, ids=lambda e: e.name)
def test_a_constant_input_has_finite_slopes(embedder):
    network = embedder.network(DIMS)
    network(torch.zeros(2, 16, DIMS)).sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in network.parameters())


def test_same_seed_same_network():
    torch.manual_seed(7)
    first = ResNet18(width=4).network(DIMS).state_dict()
    torch.manual_seed(7)
    second = ResNet18(width=4).network(DIMS).state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_importing_the_plugin_brings_no_torch():
    code = "import earwitness_embedders, sys; print({'torch', 'speechbrain'} & sys.modules.keys())"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "set()\n"


def test_export_keeps_no_notes_of_the_machine_and_answers_the_same(tmp_path, monkeypatch):
    """In a function that is called, in a loop over frames, and anywhere else."""
    onnx = pytest.importorskip("onnx")
    network = CrossScale(kernels=(4, 3), units=5, heads=2, head_dim=3, hidden=6, dim=7).network(20)
    export_network(network, (6, 20), tmp_path / "clean.onnx")
    monkeypatch.setattr(export, "_strip", lambda _: None)
    export_network(network, (6, 20), tmp_path / "noted.onnx")
    notes = ("doc_string", "metadata_props")
    clean, noted = (str(onnx.load(tmp_path / f"{name}.onnx")) for name in ("clean", "noted"))
    assert any(note in noted for note in notes)
    assert str(Path(torch.__file__).parent) in noted
    assert not [word for word in (*notes, "stack_trace", ".py", "/home", "site-packages") if word in clean]
    features = np.random.default_rng(0).standard_normal((3, 6, 20)).astype(np.float32)
    answers = [OnnxNetwork(tmp_path / f"{name}.onnx")(features) for name in ("clean", "noted")]
    np.testing.assert_array_equal(*answers)


def test_export_hides_no_warning_but_the_exporters_own(tmp_path):
    class Warns(torch.nn.Module):
        def forward(self, x):
            warnings.warn("mine", UserWarning, stacklevel=2)
            return x.mean(1)

    with pytest.warns(UserWarning, match="mine"):
        export_network(Warns(), (4, DIMS), tmp_path / "network.onnx")
