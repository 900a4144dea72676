"""Self-supervised encoders: small ones of random weights, made here, of each architecture."""

import json

import numpy as np
import pytest

from earwitness.errors import MissingExtraError, MissingWeightsError, PipelineError
from earwitness.network import OnnxNetwork
from earwitness_embedders import Ssl

torch = pytest.importorskip("torch")

SHARED = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
}
WAVE = {
    **SHARED,
    "conv_dim": (8, 8, 8),
    "conv_kernel": (10, 4, 4),
    "conv_stride": (8, 4, 4),
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
    "num_feat_extract_layers": 3,
}
BERT = {**SHARED, "feature_projection_input_dim": 12}
ENCODERS = {"wav2vec2": (WAVE, (2000, 1)), "hubert": (WAVE, (2000, 1)), "wavlm": (WAVE, (2000, 1))}
ENCODERS["wav2vec2-bert"] = (BERT, (31, 6))
"""Each architecture small, with the (frames, dims) of its windows."""

every_encoder = pytest.mark.parametrize("kind", ENCODERS)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A folder with a small encoder of each architecture."""
    transformers = pytest.importorskip("transformers")
    made = {}
    for kind, (settings, _) in ENCODERS.items():
        torch.manual_seed(5)
        made[kind] = tmp_path_factory.mktemp(kind)
        config = transformers.AutoConfig.for_model(kind, **settings)
        transformers.AutoModel.from_config(config).save_pretrained(made[kind])
    return made


def network_of(folder, kind, **settings):
    torch.manual_seed(1)
    return Ssl(str(folder), hidden=5, dim=7, **settings).network(ENCODERS[kind][1][1])


def lively(kind, count=3):
    return np.random.default_rng(0).standard_normal((count, *ENCODERS[kind][1])).astype(np.float32)


def ask(network, array):
    with torch.inference_mode():
        return network.eval()(torch.from_numpy(array)).numpy()


@every_encoder
def test_layers_are_weighed_and_pooled_as_the_formula_says(folders, kind):
    transformers = pytest.importorskip("transformers")
    network, array = network_of(folders[kind], kind), lively(kind)
    with torch.no_grad():
        network.layers.copy_(torch.tensor([0.5, -1.0, 2.0]))
    w = {name: tensor.double().numpy() for name, tensor in network.state_dict().items()}
    normal = (array - array.mean(axis=1, keepdims=True)) / np.sqrt(array.var(axis=1, keepdims=True) + 1e-7)
    given = normal[:, :30].reshape(3, 15, 12) if kind == "wav2vec2-bert" else normal[..., 0]
    encoder = transformers.AutoModel.from_pretrained(folders[kind]).eval()
    with torch.inference_mode():
        states = encoder(torch.from_numpy(given), output_hidden_states=True).hidden_states
    share = np.exp(w["layers"]) / np.exp(w["layers"]).sum()
    x = sum(a * state.double().numpy() for a, state in zip(share, states, strict=True))
    asked = np.tanh(x @ w["pool.ask.0.weight"].T + w["pool.ask.0.bias"]) @ w["pool.ask.2.weight"].T
    weights = np.exp(asked + w["pool.ask.2.bias"])
    weights /= weights.sum(axis=1, keepdims=True)
    mean = (weights * x).sum(axis=1)
    deviation = np.sqrt(np.maximum((weights * (x - mean[:, None]) ** 2).sum(axis=1), 1e-5))
    expected = np.hstack([mean, deviation]) @ w["project.weight"].T + w["project.bias"]
    np.testing.assert_allclose(ask(network, array), expected, atol=1e-4)


@every_encoder
def test_onnx_equals_torch_for_any_batch(folders, kind, tmp_path):
    from earwitness.training.export import export_network

    network, array = network_of(folders[kind], kind), lively(kind)
    export_network(network, ENCODERS[kind][1], tmp_path / "network.onnx")
    answering, expected = OnnxNetwork(tmp_path / "network.onnx"), ask(network, array)
    for batch in (1, 3):
        np.testing.assert_allclose(answering(array[:batch]), expected[:batch], atol=1e-4 * np.abs(expected).max())


@every_encoder
@pytest.mark.parametrize("frozen", [True, False])
def test_only_what_is_free_learns_and_nothing_is_left_to_chance(folders, kind, frozen):
    network = network_of(folders[kind], kind, frozen=frozen).train()
    assert network.encoder.training is not frozen
    network(torch.from_numpy(lively(kind))).square().sum().backward()
    learning = {name for name, parameter in network.named_parameters() if parameter.grad is not None}
    assert any(name.startswith("encoder.") for name in learning) is not frozen
    assert {name for name, _ in network.named_parameters() if not name.startswith("encoder.")} <= learning
    assert all(p.grad.isfinite().all() for p in network.parameters() if p.grad is not None)


def test_weights_come_from_the_folder(folders):
    first, second = (network_of(folders["hubert"], "hubert").encoder.state_dict() for _ in range(2))
    other = network_of(folders["wav2vec2"], "wav2vec2").encoder.state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first if name in other)


def test_what_is_no_encoder_is_an_error(folders, tmp_path):
    with pytest.raises(MissingWeightsError, match=r"embedder\.ssl\.folder"):
        Ssl().network(1)
    with pytest.raises(PipelineError, match=r"has no config\.json"):
        Ssl(str(tmp_path)).network(1)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(PipelineError, match="is a bert"):
        Ssl(str(tmp_path)).network(1)
    with pytest.raises(PipelineError, match="frontend: waveform"):
        Ssl(str(folders["wavlm"])).network(40)
    with pytest.raises(PipelineError, match="bands: 6"):
        Ssl(str(folders["wav2vec2-bert"])).network(1)


def test_only_safetensors_are_read(folders, tmp_path):
    (tmp_path / "config.json").write_bytes((folders["hubert"] / "config.json").read_bytes())
    (tmp_path / "pytorch_model.bin").write_bytes(b"a pickle that nobody opens")
    with pytest.raises(PipelineError, match="can't be read"):
        Ssl(str(tmp_path)).network(1)


def test_without_the_extra_the_error_names_it(monkeypatch):
    monkeypatch.setattr("earwitness_embedders.ssl.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"earwitness\[ssl\]"):
        Ssl("somewhere").network(1)
