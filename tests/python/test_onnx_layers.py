"""ONNX files are read into layers that compute the same, or refused by layer and op before TensorFlow is loaded."""

import numpy as np
import onnx
import pytest
import torch
from conversion_models import (
    TwoOutputs,
    averaging_network,
    capped_network,
    chain,
    leaky_network,
    noise,
    run_layers,
    torch_outputs,
)
from torch import nn

from hardwear import networks
from hardwear.errors import ConversionError
from hardwear.networks import inference_form
from hardwear.quantization import convert
from hardwear.quantization.layers import Activation, Convolution, Dense, Flatten, GlobalAverage, MaxPool, read_onnx
from hardwear.quantization.onnx_export import export_onnx


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def read(network, tmp_path):
    export_onnx(network, tmp_path / "model.onnx")
    return read_onnx(tmp_path / "model.onnx")


@pytest.mark.parametrize(
    "make", [leaky_network, averaging_network, capped_network], ids=["leaky", "averaging", "capped"]
)
def test_the_layers_compute_what_torch_computes(make, tmp_path):
    network, windows = make(), noise(3)
    layers = read(network, tmp_path)
    logits, embedding = torch_outputs(network, windows)
    for index, window in enumerate(windows):
        mine = run_layers(layers, window)
        np.testing.assert_allclose(mine[0], logits[index], atol=2e-5)
        np.testing.assert_allclose(mine[1], embedding[index], atol=2e-5)


@pytest.mark.parametrize("name", ["compact", "compact-plain", "nano", "paper", "paper-gap", "cnn"])
def test_every_registered_network_is_read_whole(name, tmp_path):
    torch.manual_seed(3)
    network, windows = inference_form(networks.build(name)), noise(1)
    layers = read(network, tmp_path)
    logits, embedding = torch_outputs(network, windows)
    mine = run_layers(layers, windows[0])
    np.testing.assert_allclose(mine[0], logits[0], atol=1e-5)
    np.testing.assert_allclose(mine[1], embedding[0], atol=1e-5)
    assert layers.embedding_size == network.embedding_size


def test_the_papers_network_has_the_layers_of_table_1(tmp_path):
    layers = read(inference_form(networks.build("paper")), tmp_path).layers
    kinds = [type(layer) for layer in layers if not isinstance(layer, Activation)]
    conv, pool, dense = Convolution, MaxPool, Dense
    assert kinds == [conv, conv, pool, conv, conv, conv, pool, Flatten, dense, dense, dense, dense]
    numbers = sum(x.weights.size + x.bias.size for x in layers if isinstance(x, Convolution | Dense))
    assert numbers == 2_382_662


def test_batch_norm_leaves_no_layer_of_its_own(tmp_path):
    layers = read(leaky_network(), tmp_path).layers
    assert [type(layer) for layer in layers[:2]] == [Convolution, Activation]
    assert layers[1] == Activation(layers[1].name, pytest.approx(0.1))


def test_batch_norm_after_a_dense_layer_is_folded_too(tmp_path):
    torch.manual_seed(1)
    head = [nn.Flatten(), nn.Linear(48, 12), nn.BatchNorm1d(12), nn.ReLU()]
    network = TwoOutputs(nn.Sequential(nn.MaxPool1d(16), *head), 12)
    network.train()
    with torch.no_grad():
        network(torch.from_numpy(noise(32)))
    network.eval()
    layers = read(network, tmp_path)
    assert [type(layer) for layer in layers.layers] == [MaxPool, Flatten, Dense, Activation, Dense]
    logits, _ = torch_outputs(network, noise(1))
    np.testing.assert_allclose(run_layers(layers, noise(1)[0])[0], logits[0], atol=1e-5)


def test_a_mean_over_time_is_read_as_a_global_average(tmp_path):
    class Mean(nn.Module):
        def forward(self, signal):
            return signal.mean(dim=2)

    network = TwoOutputs(nn.Sequential(nn.Conv1d(6, 4, 3, padding=1), nn.ReLU(), Mean()), 4).eval()
    assert GlobalAverage in [type(layer) for layer in read(network, tmp_path).layers]


def test_the_same_network_gives_the_same_file_and_keeps_its_mode(tmp_path):
    network = leaky_network().train()
    for name in ("first", "second"):
        export_onnx(network, tmp_path / name)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()
    assert network.training


class Residual(nn.Module):
    def forward(self, signal):
        return signal + torch.relu(signal)


class MeanOverChannels(nn.Module):
    def forward(self, signal):
        return signal.mean(dim=1)


@pytest.mark.parametrize(
    ("network", "named"),
    [
        (lambda: chain(nn.Conv1d(6, 4, 3), nn.Sigmoid()), r"layer .*Sigmoid \(Sigmoid\)"),
        (lambda: chain(nn.Conv1d(6, 4, 3), nn.GELU()), r"layer .*1/.* \(\w+\)"),
        (lambda: chain(nn.Conv1d(6, 4, 3, dilation=2)), r"layer .*Conv \(Conv\): .*dilation"),
        (lambda: chain(nn.Conv1d(6, 6, 3, groups=6)), r"layer .*Conv \(Conv\): groups"),
        (lambda: chain(nn.Conv1d(6, 4, 3, padding=2)), r"layer .*Conv \(Conv\): padding \(2, 2\)"),
        (lambda: chain(nn.Conv1d(6, 4, 3, padding=1, stride=2)), r"layer .*Conv \(Conv\): .*stride 2"),
        (lambda: chain(nn.ConvTranspose1d(6, 4, 3)), r"layer .* \(ConvTranspose\)"),
        (lambda: chain(nn.MaxPool1d(3, stride=2)), r"layer .*MaxPool \(MaxPool\): .*stride"),
        (lambda: chain(nn.AvgPool1d(4, padding=1)), r"layer .*AveragePool \(AveragePool\): .*padding"),
        (lambda: chain(nn.ReLU(), nn.BatchNorm1d(6)), r"layer .*\(BatchNormalization\): .*right before"),
        (lambda: chain(Residual()), r"layer .* \(Add\)"),
        (lambda: chain(nn.Conv1d(6, 4, 3), MeanOverChannels()), r"layer .*ReduceMean \(ReduceMean\): .*time"),
        (lambda: chain(nn.Conv1d(6, 4, 3), nn.Hardtanh(0.0, 4.0)), r"layer .* \(Clip\): expected ReLU6.*4\.0"),
        (lambda: chain(nn.LeakyReLU(1.5)), r"layer .*LeakyRelu \(LeakyRelu\): .*slope"),
        (lambda: TwoOutputs(nn.Flatten(), 768).eval(), r"layer .*Flatten \(Flatten\): the embedding"),
    ],
)
def test_a_layer_the_board_can_not_run_is_named_before_tensorflow_is_loaded(network, named, tmp_path, monkeypatch):
    monkeypatch.setattr(convert, "_tensorflow", lambda: pytest.fail("TensorFlow was loaded"))
    export_onnx(network(), tmp_path / "model.onnx")
    with pytest.raises(ConversionError, match=named):
        convert.to_int8(tmp_path / "model.onnx", noise(8))


def test_what_torch_itself_can_not_export_is_refused(tmp_path):
    class Fourier(nn.Module):
        def forward(self, signal):
            return torch.fft.rfft(signal).abs().flatten(1)

    with pytest.raises(ConversionError, match="Build it from Conv1d"):
        export_onnx(TwoOutputs(Fourier(), 390).eval(), tmp_path / "model.onnx")
    assert not (tmp_path / "model.onnx").exists()


def test_a_classifier_of_other_classes_is_refused(tmp_path):
    network = TwoOutputs(nn.Sequential(nn.MaxPool1d(16), nn.Flatten(), nn.Linear(48, 8)), 8, classes=5).eval()
    with pytest.raises(ConversionError, match="6 logits"):
        read(network, tmp_path)


@pytest.mark.parametrize("content", [b"", b"not an ONNX file", b"\x08\x07" * 50])
def test_a_file_that_is_no_onnx_is_refused(content, tmp_path):
    (tmp_path / "model.onnx").write_bytes(content)
    with pytest.raises(ConversionError, match="expected"):
        read_onnx(tmp_path / "model.onnx")


def test_other_outputs_are_refused(tmp_path):
    export_onnx(averaging_network(), tmp_path / "model.onnx")
    model = onnx.load(tmp_path / "model.onnx")
    del model.graph.output[1]
    onnx.save(model, tmp_path / "model.onnx")
    with pytest.raises(ConversionError, match="embedding"):
        read_onnx(tmp_path / "model.onnx")
