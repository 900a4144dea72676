"""The published networks: what sets each apart against NumPy in float64, its size, its slopes, itself as ONNX."""

import numpy as np
import pytest
from scipy.special import expit, softmax

torch = pytest.importorskip("torch")

from earwitness.errors import PipelineError  # noqa: E402
from earwitness.network import OnnxNetwork  # noqa: E402
from earwitness.pipeline import Recipe  # noqa: E402
from earwitness.training.export import export_network  # noqa: E402
from earwitness.training.learner import Learner  # noqa: E402
from earwitness_embedders import (  # noqa: E402
    CrossScale,
    GsvCnn,
    Lcnn,
    MultifeatureFusion,
    NoiseCnn,
    NoiseMlp,
    Pstnn,
    RawNet2,
    RdTcn,
    SeResNet,
    Xvector,
)
from earwitness_frontends import Gsv, GsvMfcc, Ivector  # noqa: E402

SMALL = {
    "crossscale": (CrossScale(kernels=(4, 3), units=5, heads=2, head_dim=3, hidden=6, dim=7), (6, 20)),
    "conv_lstm_alone": (CrossScale(kernels=(4, 3), units=0, encoders=0, dim=7), (6, 20)),
    "bilstm_alone": (CrossScale(kernels=(), strides=(), units=5, encoders=0, dim=7), (6, 20)),
    "transformer_alone": (CrossScale((), (), units=0, heads=2, head_dim=3, hidden=6, dim=7), (6, 20)),
    "lcnn": (Lcnn(width=4, dim=6), (21, 20)),
    "se_resnet": (SeResNet(width=4, reduction=2, dim=6), (21, 20)),
    "xvector": (Xvector(channels=8, pooled=12, dim=6), (21, 20)),
    "rawnet2": (RawNet2(taps=65, widths=(4, 6), units=5, layers=2, dim=7), (5000, 1)),
    "noise_mlp": (NoiseMlp(layers=2, width=6), (3, 65)),
    "averaging": (NoiseMlp(layers=2, width=6, averaging=True), (3, 65)),
    "no_layers": (NoiseMlp(layers=0), (3, 65)),
    "noise_cnn": (NoiseCnn(kernels=(3, 4), dim=6), (3, 65)),
    "gsv_cnn": (GsvCnn(components=8, widths=(3, 4), dim=6), (1, 72)),
    "dnn_lstm": (Pstnn(temporal="lstm", components=8, frames=4, hidden=(16, 12), dim=5), (12, 9)),
    "cnn_bilstm": (Pstnn(spatial="cnn", fusion="concatenation", components=8, frames=4, hidden=(6,), dim=5), (12, 9)),
    "resnet_bilstm": (Pstnn(spatial="resnet", components=8, frames=4, hidden=(6,), dim=5), (12, 9)),
    "spatial_alone": (Pstnn(temporal="none", depth=3, components=8, frames=4, hidden=(6,), dim=5), (12, 9)),
    "temporal_alone": (Pstnn(spatial="none", depth=0, components=8, frames=4, hidden=(6,)), (12, 9)),
    "fusion": (MultifeatureFusion(8, factors=5, widths=(3, 4), hidden=(6,), bottleneck=5, dim=4), (13, 9)),
    "rdtcn": (RdTcn(8, blocks=2, layers=2, channels=6, widths=(3, 4), dim=5), (12, 9)),
}
"""Each network small, with the (frames, dims) of its windows."""

FOR_ANY_LENGTH = [(embedder, shape) for embedder, shape in SMALL.values() if embedder.name not in ("gsv_cnn", "pstnn")]

every_network = pytest.mark.parametrize(("embedder", "shape"), SMALL.values(), ids=SMALL)


def made(embedder, dims):
    """The embedder's network in eval mode, its norms' statistics and all weights away from where they start."""
    torch.manual_seed(3)
    network = embedder.network(dims)
    with torch.no_grad():
        for name, buffer in network.named_buffers():
            if name.endswith(("running_mean", "running_var")):
                buffer.uniform_(*((0.5, 2.0) if name.endswith("var") else (-0.5, 0.5)))
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return network.eval()


def lively(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def ask(module, *arrays):
    with torch.inference_mode():
        return module(*(torch.from_numpy(array) for array in arrays)).numpy()


def exact(module):
    """The module's weights by name, float64."""
    return {name: tensor.double().numpy() for name, tensor in module.state_dict().items()}


def correlate(signal, weights, bias=0.0, stride=1, padding=0):
    """Convolution as networks have it: (channels, n), (outputs, channels, size) -> (outputs, places)."""
    padded = np.pad(signal, ((0, 0), (padding, padding)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, weights.shape[2], axis=1)[:, ::stride]
    return np.einsum("cps,ocs->op", windows, weights) + np.broadcast_to(bias, len(weights))[:, None]


def parameters(network):
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize("name", ["averaging", "no_layers", "dnn_lstm", "cnn_bilstm", "resnet_bilstm"])
def test_onnx_equals_torch_for_any_batch(name, tmp_path):
    """Of what the conformance kit, which asks networks as they are by default, doesn't see."""
    embedder, shape = SMALL[name]
    network, array = made(embedder, shape[1]), lively(5, *shape)
    export_network(network, shape, tmp_path / "network.onnx")
    answering, expected = OnnxNetwork(tmp_path / "network.onnx"), ask(network, array)
    assert np.abs(expected - expected[0]).max(axis=1)[1:].min() > 1e-4
    for batch in (1, 5):
        np.testing.assert_allclose(answering(array[:batch]), expected[:batch], atol=1e-4 * np.abs(expected).max())


@every_network
@pytest.mark.parametrize("alike", [True, False])
def test_all_slopes_are_finite_and_all_weights_have_one(embedder, shape, alike):
    torch.manual_seed(0)
    network = embedder.network(shape[1])
    array = torch.zeros(3, *shape) if alike else torch.from_numpy(lively(3, *shape))
    network(array).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


@pytest.mark.parametrize(("embedder", "shape"), FOR_ANY_LENGTH)
@pytest.mark.parametrize("frames", [1, 2, 9])
def test_any_number_of_frames_gives_an_embedding(embedder, shape, frames):
    if embedder.name == "xvector" and frames < 5:
        pytest.skip("SpeechBrain mirrors at the edges, which takes as many frames as the widest layer reaches")
    frames += shape[0] if embedder.name in ("multifeature_fusion", "rdtcn") else 0  # above them stands a supervector
    vectors = ask(made(embedder, shape[1]), lively(2, frames, shape[1]))
    assert vectors.shape[0] == 2
    assert np.isfinite(vectors).all()


def test_a_convolutional_lstm_is_its_formula():
    from earwitness_embedders._crossscale_torch import ConvLstm

    torch.manual_seed(1)
    layer = ConvLstm(inputs=2, kernels=3, stride=2, width=11)
    with torch.no_grad():
        layer.peephole.normal_()
    w, sequence = exact(layer), lively(1, 4, 2, 11)
    h = c = np.zeros((3, 5))
    expected = []
    for x in sequence[0].astype(np.float64):
        drive = correlate(x, w["inward.weight"], w["inward.bias"], stride=2)
        i, f, o, g = np.split(drive + correlate(h, w["onward.weight"], padding=1), 4)
        i, f = expit(i + w["peephole"][0] * c), expit(f + w["peephole"][1] * c)
        c = f * c + i * np.tanh(g)
        h = expit(o + w["peephole"][2] * c) * np.tanh(c)
        expected.append(h)
    np.testing.assert_allclose(ask(layer, sequence)[0], expected, atol=1e-6)


def test_crossscale_attention_is_its_formula():
    from earwitness_embedders._crossscale_torch import Encoder

    torch.manual_seed(1)
    encoder, row = Encoder(row=6, heads=2, head_dim=3, hidden=4), lively(1, 6)
    w, x = exact(encoder), row[0].astype(np.float64)

    def norm(values, at):
        return (values - values.mean()) / np.sqrt(values.var() + 1e-5) * w[f"norms.{at}.weight"] + w[f"norms.{at}.bias"]

    query, key, value = np.split(x[:, None] @ w["ask.weight"].T + w["ask.bias"], 3, axis=1)
    heads = [
        softmax(query[:, one] @ key[:, one].T / np.sqrt(3), axis=1) @ value[:, one]
        for one in (slice(0, 3), slice(3, 6))
    ]
    x = norm(x + (np.hstack(heads) @ w["answer.weight"].T + w["answer.bias"])[:, 0], 0)
    hidden = np.maximum(x[:, None] @ w["mlp.0.weight"].T + w["mlp.0.bias"], 0)
    x = norm(x + (hidden @ w["mlp.2.weight"].T + w["mlp.2.bias"])[:, 0], 1)
    np.testing.assert_allclose(ask(encoder, row)[0], x, atol=1e-5)


def test_crossscale_sums_up_as_its_layers_do():
    """ConvLSTM 1 -> 64 and 64 -> 32 of 3 without padding, BiLSTM 352 -> 128, two encoders over 256 numbers, 128."""
    lstm = 2 * 4 * 128 * (352 + 128 + 2)
    first = 4 * 64 * (3 * 1 + 1 + 3 * 64) + 3 * 64 * 24
    second = 4 * 32 * (3 * 64 + 1 + 3 * 32) + 3 * 32 * 11
    encoder = 2 * 3 * 512 + 513 + (2 * 128 + 129) + 2 * 2 * 256
    norms = 2 * (73 + 64 + 32)
    assert parameters(CrossScale().network(73)) == first + second + norms + lstm + 2 * encoder + 257 * 128


def test_crossscale_wants_features_to_slide_over():
    with pytest.raises(PipelineError, match="too few"):
        CrossScale().network(8)
    with pytest.raises(PipelineError, match="as many strides as kernels"):
        CrossScale(kernels=()).network(73)


@pytest.mark.parametrize("kernels", [(4,), ()])
def test_without_its_bilstm_crossscale_reads_the_last_state_and_without_more_the_mean_frame(kernels):
    network = made(CrossScale(kernels, (3,) * len(kernels), units=0, encoders=0, dim=7), 20)
    w, features = exact(network), lively(1, 6, 20)
    with torch.inference_mode():
        sequence = network.normalise(torch.from_numpy(features).transpose(1, 2)).transpose(1, 2)
        for layer, after in zip(network.frames, network.norms, strict=True):
            sequence = after(layer(sequence.unsqueeze(2)).transpose(1, 2)).transpose(1, 2)
    frames = sequence[0].flatten(1).double().numpy()
    row = (frames[-1] if kernels else frames.mean(axis=0)) + np.sin(np.arange(frames.shape[1]))
    np.testing.assert_allclose(ask(network, features)[0], row @ w["project.weight"].T + w["project.bias"], atol=1e-5)


def test_the_larger_of_two_maps_passes():
    from earwitness_embedders._lcnn_torch import MaxFeatureMap

    maps = lively(2, 6, 3, 4)
    expected = [[np.maximum(window[k], window[k + 3]) for k in range(3)] for window in maps]
    np.testing.assert_array_equal(ask(MaxFeatureMap(), maps), expected)


def test_lcnn_has_the_convolutions_of_the_published_layout():
    """Lavrentyeva et al., 2019, table 2: 1.6, 2.1, 27.7, 4.7, 55.4, 8.3, 36.9, 2.1 and 18.5 thousand parameters."""
    convolutions = [m for m in Lcnn().network(60).modules() if isinstance(m, torch.nn.Conv2d)]
    assert [round(parameters(m) / 1000, 1) for m in convolutions] == [1.7, 2.1, 27.7, 4.7, 55.4, 8.3, 36.9, 2.1, 18.5]


def test_squeeze_and_excitation_is_its_formula():
    from earwitness_embedders._se_resnet_torch import SqueezeExcitation

    torch.manual_seed(1)
    layer, maps = SqueezeExcitation(6, 2), lively(2, 6, 3, 5)
    w = exact(layer)
    hidden = np.maximum(maps.mean(axis=(2, 3)) @ w["weigh.0.weight"].T + w["weigh.0.bias"], 0)
    weights = expit(hidden @ w["weigh.2.weight"].T + w["weigh.2.bias"])
    np.testing.assert_allclose(ask(layer, maps), maps * weights[:, :, None, None], atol=1e-6)


def test_se_resnet_is_resnet18_and_its_weights_of_channels():
    from earwitness_embedders import ResNet18

    excitation = sum(2 * (2 * c * (c // 16) + c + c // 16) for c in (64, 128, 256, 512))
    plain, squeezed = ResNet18(width=64).network(60), SeResNet(width=64).network(60)
    assert parameters(squeezed) - parameters(plain) == excitation


def test_xvector_is_speechbrains_but_for_chance():
    from speechbrain.lobes.models.Xvector import Xvector as Theirs

    ours = made(Xvector(channels=8, pooled=12, dim=6), 20)
    theirs = Theirs(in_channels=20, tdnn_channels=[8] * 4 + [12], lin_neurons=6).eval()
    names = [name for name in ours.state_dict() if not name.startswith("normalise")]
    theirs.load_state_dict(dict(zip(theirs.state_dict(), (ours.state_dict()[name] for name in names), strict=True)))
    array = lively(2, 40, 20)
    with torch.inference_mode():
        normal = ours.normalise(torch.from_numpy(array).transpose(1, 2)).transpose(1, 2)
    frames = ask(torch.nn.Sequential(*theirs.blocks[:-2]), normal.numpy())
    pooled = np.hstack([frames.mean(axis=1), np.sqrt(frames.var(axis=1) + 1e-5)]).astype(np.float32)
    np.testing.assert_allclose(ask(ours, array), ask(theirs.blocks[-1], pooled), atol=1e-5)


def test_sinc_filters_pass_their_band_and_stop_the_rest():
    """A cut-off is where a long windowed sinc has half its gain; edges are even in mel from 0 to half the rate."""
    from earwitness_embedders._rawnet2_torch import sinc_filters

    filters = sinc_filters(5, 1025, 16000).double().numpy()[:, 0]
    response = np.abs(np.fft.rfft(filters, 16000))  # (5, 8001), a bin a hertz
    edges = 700 * (np.exp(np.linspace(0, np.log1p(8000 / 700), 6)) - 1)
    hertz = np.arange(8001)
    for gain, low, high in zip(response, edges[:-1], edges[1:], strict=True):
        np.testing.assert_allclose(gain[(hertz > low + 50) & (hertz < high - 50)], 1, atol=0.01)
        assert gain[(hertz < low - 50) | (hertz > high + 50)].max() < 0.01
    np.testing.assert_allclose([response[k, round(edges[k + 1])] for k in range(4)], 0.5, atol=0.02)


def test_feature_map_scaling_is_its_formula():
    from earwitness_embedders._rawnet2_torch import FeatureMapScaling

    torch.manual_seed(1)
    layer, maps = FeatureMapScaling(4), lively(2, 4, 7)
    w = exact(layer)
    weights = expit(maps.mean(axis=2) @ w["weigh.weight"].T + w["weigh.bias"])[:, :, None]
    np.testing.assert_allclose(ask(layer, maps), maps * weights + weights, atol=1e-6)


def test_rawnet2_has_the_blocks_of_the_published_layout():
    """Tak et al., 2021: 20 filters, two blocks of 20 channels and four of 128, three GRU of 1024, 1024."""
    network = RawNet2().network(1)
    assert [block.body[3].out_channels for block in network.blocks] == [20, 20, 128, 128, 128, 128]
    assert parameters(network.recur) == 3 * 1024 * (128 + 1024 + 2) + 2 * 3 * 1024 * (2048 + 2)
    assert "filters" not in dict(network.named_parameters())
    with pytest.raises(PipelineError, match="reads a waveform"):
        RawNet2().network(60)


@pytest.mark.parametrize("averaging", [False, True])
def test_noise_mlp_is_its_formula(averaging):
    network, array = made(NoiseMlp(layers=2, width=4, averaging=averaging), 9), lively(1, 3, 9)
    w = exact(network)
    deviation = np.sqrt(w["normalise.running_var"] + 1e-5)
    x = (array[0] - w["normalise.running_mean"]) / deviation * w["normalise.weight"] + w["normalise.bias"]
    first = np.maximum(x @ w["layers.0.0.weight"].T + w["layers.0.0.bias"], 0)
    second = np.maximum((x if averaging else first) @ w["layers.1.0.weight"].T + w["layers.1.0.bias"], 0)
    hidden = np.hstack([first, second]) if averaging else second
    np.testing.assert_allclose(ask(network, array)[0], hidden.mean(axis=0), atol=1e-5)


def test_one_hidden_layer_is_alike_with_and_without_averaging():
    alone, averaged = (made(NoiseMlp(layers=1, width=4, averaging=averaging), 9) for averaging in (False, True))
    np.testing.assert_array_equal(ask(alone, lively(2, 3, 9)), ask(averaged, lively(2, 3, 9)))


def test_noise_cnn_is_its_formula():
    network, array = made(NoiseCnn(kernels=(2, 3), dim=4), 33), lively(1, 1, 33)
    w, signal = exact(network), array[0].astype(np.float64)
    deviation = np.sqrt(w["normalise.running_var"] + 1e-5)
    signal = (signal - w["normalise.running_mean"]) / deviation * w["normalise.weight"] + w["normalise.bias"]
    for at in ("stages.0", "stages.3"):
        found = np.maximum(correlate(signal, w[f"{at}.weight"], w[f"{at}.bias"], padding=2), 0)
        signal = np.stack([found[:, i : i + 4].max(axis=1) for i in range(0, found.shape[1], 4)], axis=1)
    expected = w["project.weight"] @ signal.ravel() + w["project.bias"]
    np.testing.assert_allclose(ask(network, array)[0], expected, atol=1e-5)


def test_gsv_cnn_reads_the_supervector_a_row_a_component():
    network, array = made(GsvCnn(components=4, widths=(2,), dim=3), 24), lively(1, 1, 24)
    w = exact(network)
    deviation = np.sqrt(w["normalise.running_var"] + 1e-5)
    values = (array[0, 0] - w["normalise.running_mean"]) / deviation * w["normalise.weight"] + w["normalise.bias"]
    padded = np.pad(values.reshape(4, 6), 1)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3))
    maps = np.einsum("hwij,oij->ohw", windows, w["stages.0.weight"][:, 0])
    deviation = np.sqrt(w["stages.1.running_var"] + 1e-5)
    scale = w["stages.1.weight"] / deviation
    shift = w["stages.1.bias"] - w["stages.1.running_mean"] * scale
    maps = np.maximum(maps * scale[:, None, None] + shift[:, None, None], 0)
    pooled = maps.reshape(2, 2, 2, 3, 2).max(axis=(2, 4))
    expected = w["project.weight"] @ pooled.ravel() + w["project.bias"]
    np.testing.assert_allclose(ask(network, array)[0], expected, atol=1e-5)


@pytest.mark.parametrize("dims", [39, 65, 64 * 4])
def test_gsv_cnn_wants_a_supervector(dims):
    with pytest.raises(PipelineError, match="64 components"):
        GsvCnn().network(dims)


def test_attention_of_pstnn_is_its_formula():
    from earwitness_embedders._pstnn_torch import Attention

    torch.manual_seed(1)
    layer, both = Attention(), lively(1, 2, 7)
    w = exact(layer)
    found = correlate(both[0].astype(np.float64), w["look.weight"], w["look.bias"], padding=1)
    smooth = np.stack([np.convolve(row, [1 / 3] * 3, "same") for row in found])
    expected = (softmax(smooth, axis=0) * both[0]).sum(axis=0)
    np.testing.assert_allclose(ask(layer, both)[0], expected, atol=1e-6)


def test_pstnn_reads_states_of_both_ways_frame_by_frame():
    """The last frame reaches the first state of a BiLSTM, not that of an LSTM."""
    frames = lively(1, 4, 9)
    later = frames.copy()
    later[0, -1] += 1
    for temporal, reached in (("lstm", False), ("bilstm", True)):
        branch = made(Pstnn(temporal=temporal, components=8, frames=4, hidden=(6,), dim=5), 9).sides["temporal"]
        with torch.inference_mode():
            before, after = (
                branch.second(branch.first(torch.from_numpy(each))[0])[0][:, 0] for each in (frames, later)
            )
        assert bool((before != after).any()) is reached


@pytest.mark.parametrize(("left_out", "unheard"), [("spatial", slice(8)), ("temporal", slice(8, 12))])
def test_pstnn_without_a_branch_reads_the_other_part_alone(left_out, unheard):
    network = made(Pstnn(**{left_out: "none"}, components=8, frames=4, hidden=(6,), dim=5), 9)
    features, other = lively(2, 12, 9), lively(2, 12, 9) + 1
    changed = features.copy()
    changed[:, unheard] = other[:, unheard]
    np.testing.assert_array_equal(ask(network, changed), ask(network, features))
    assert not np.allclose(ask(network, other), ask(network, features))
    with pytest.raises(PipelineError, match="one or both"):
        Pstnn(spatial="none", temporal="none").network(9)


def test_pstnn_ends_in_as_many_full_layers_as_asked():
    """Each half as wide as the one before, down to the embedding."""
    sizes = {0: (), 1: (16,), 2: (32, 16), 3: (64, 32, 16)}
    for depth, expected in sizes.items():
        network = Pstnn(depth=depth, components=8, frames=4, hidden=(6,), dim=16).network(9)
        full = [layer for layer in network.project if isinstance(layer, torch.nn.Linear)]
        assert tuple(layer.out_features for layer in full) == expected
        assert ask(network.eval(), lively(1, 12, 9)).shape == (1, 16 if depth else 6)


def test_published_pstnn_grows_as_printed():
    """Table 4: 114,765, 120,995 and 133,455 thousand with 64, 128 and 256 components."""
    printed = {64: 114_765, 128: 120_995, 256: 133_455}
    for components, thousands in printed.items():
        embedder = Pstnn(components=components, frames=650, hidden=(2496, 1024, 1024))
        with torch.device("meta"):
            assert parameters(embedder.network(39)) == pytest.approx(1000 * thousands, rel=0.005)


def test_attention_over_vectors_is_its_formula():
    from earwitness_embedders._fusion_torch import Attention

    torch.manual_seed(1)
    layer, vectors = Attention(4), lively(1, 3, 4)
    w = exact(layer)
    weights = softmax(np.tanh(vectors[0] @ w["ask.0.weight"].T + w["ask.0.bias"]) @ w["ask.2.weight"][0])
    np.testing.assert_allclose(ask(layer, vectors)[0], weights @ vectors[0], atol=1e-6)


def test_a_dense_block_is_its_formula():
    from earwitness_embedders._rdtcn_torch import DenseBlock

    torch.manual_seed(1)
    block, sequence = DenseBlock(3, 2).eval(), lively(1, 3, 9)
    w = exact(block)
    found = [sequence[0].astype(np.float64)]
    for at, dilation in enumerate((1, 2)):
        kernel = np.zeros((3, 3 * (at + 1), 2 * dilation + 1))
        kernel[:, :, ::dilation] = w[f"layers.{at}.0.weight"]
        new = correlate(np.vstack(found), kernel, padding=dilation) / np.sqrt(1 + 1e-5)
        found.append(np.maximum(new, 0))
    expected = sequence[0] + w["mix.weight"][:, :, 0] @ np.vstack(found) + w["mix.bias"][:, None]
    np.testing.assert_allclose(ask(block, sequence)[0], expected, atol=1e-5)


def test_spatial_attention_is_its_formula():
    from earwitness_embedders._rdtcn_torch import SpatialAttention

    torch.manual_seed(1)
    layer, maps = SpatialAttention(), lively(1, 3, 4, 5)
    w = exact(layer)
    around = np.pad(np.stack([maps[0].mean(axis=0), maps[0].max(axis=0)]), ((0, 0), (3, 3), (3, 3)))
    windows = np.lib.stride_tricks.sliding_window_view(around, (7, 7), axis=(1, 2))
    weights = expit(np.einsum("chwij,cij->hw", windows, w["look.weight"][0]) + w["look.bias"])
    np.testing.assert_allclose(ask(layer, maps), maps * weights, atol=1e-6)


@pytest.mark.parametrize(("factors", "between"), [(0, 0), (5, 1), (40, 2)])
def test_gsv_mfcc_puts_the_whole_above_its_frames(factors, between):
    windows = np.random.default_rng(2).standard_normal((6, 4000)).astype(np.float32)
    part = GsvMfcc(components=3, factors=factors, frames=20)
    frames = part(windows, 16000)
    state = part.fit([frames])
    rows = part.features(state, frames)
    assert rows.shape == (6, 3 + between + 20, 39)
    np.testing.assert_array_equal(rows[:, :3].reshape(6, 1, -1), Gsv(3).features(state, frames))
    if factors:
        beside = rows[:, 3 : 3 + between].reshape(6, 1, -1)
        np.testing.assert_array_equal(beside[..., :factors], Ivector(3, factors).features(state, frames))
        assert not beside[..., factors:].any()
    count = frames.shape[1]
    assert count < 20
    np.testing.assert_array_equal(rows[:, 3 + between :], np.concatenate([frames, frames], axis=1)[:, :20])


def test_rows_come_apart_as_gsv_mfcc_put_them_together():
    from earwitness_embedders._supervector_torch import Parted

    parted, rows = Parted(dims=4, components=3, factors=5).eval(), lively(2, 3 + 2 + 6, 4)
    with torch.inference_mode():
        supervector, factors, frames = (part.numpy() for part in parted(torch.from_numpy(rows)))
    np.testing.assert_allclose(supervector, rows[:, :3].reshape(2, 12), atol=1e-4)
    np.testing.assert_array_equal(factors, rows[:, 3:5].reshape(2, 8)[:, :5])
    np.testing.assert_allclose(frames, rows[:, 5:], atol=1e-4)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [("linear", [1 - step / 12 for step in range(13)]), ("steps", [1] * 6 + [0.1] * 6 + [0.01])],
)
def test_the_learning_rate_follows_published_schedules(schedule, expected):
    recipe = Recipe(epochs=4, steps=3, learning_rate=0.5, schedule=schedule, period=2)
    learner = Learner(NoiseMlp(layers=1, width=3), recipe, (2, 5), 2, seed=0)
    rates = [learner.schedule.get_last_lr()[0]]
    for _ in range(12):
        learner.step(lively(4, 2, 5), np.array([0, 1, 0, 1]))
        rates += learner.schedule.get_last_lr()
    np.testing.assert_allclose(rates, 0.5 * np.array(expected), atol=1e-9)
