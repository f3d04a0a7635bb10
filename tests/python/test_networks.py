"""The networks are what their tables say, and stay the same when batch norm is folded away."""

import pytest
import torch
from torch import nn

from hardwear import networks
from hardwear.errors import TrainingError

_EXPORTABLE = (
    nn.Conv1d, nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.MaxPool1d, nn.AvgPool1d, nn.Flatten, nn.Linear, nn.Dropout,
    nn.Sequential, networks.Network,
)  # fmt: skip

FOR_THE_BOARD = [name for name in networks.names() if name != "deepconvlstm"]


def test_paper_network_is_table_one() -> None:
    network = networks.inference_form(networks.build("paper"))
    assert network.parameter_count == 2_382_662
    layers = [m for m in network.body if not isinstance(m, nn.Dropout)]
    sizes = [
        m.out_channels if isinstance(m, nn.Conv1d) else m.out_features if isinstance(m, nn.Linear) else type(m).__name__
        for m in layers
    ]
    relu = "LeakyReLU"
    assert sizes == [
        64, relu, 64, relu, "MaxPool1d", 128, relu, 128, relu, 128, relu, "MaxPool1d",
        "Flatten", 512, relu, 256, relu, 64, relu,
    ]  # fmt: skip
    assert all(m.kernel_size == (3,) and m.padding == (1,) for m in layers if isinstance(m, nn.Conv1d))
    assert network.classifier.out_features == 6


def test_paper_gap_has_table_ones_convolutions_and_one_dense_layer_on_their_average() -> None:
    table_one, network = (networks.inference_form(networks.build(name)) for name in ("paper", "paper-gap"))
    convolutions = [
        [(m.in_channels, m.out_channels, m.kernel_size, m.padding) for m in n.body if isinstance(m, nn.Conv1d)]
        for n in (table_one, network)
    ]
    assert convolutions[0] == convolutions[1]
    assert [type(m).__name__ for m in network.body][-4:] == ["Flatten", "Dropout", "Linear", "LeakyReLU"]
    average = network.body[-5]
    assert isinstance(average, nn.AvgPool1d)
    assert network.body[:-5](torch.randn(1, 6, 128)).shape == (1, 128, average.kernel_size[0])
    assert network.embedding_size == 64
    assert network.parameter_count == 145_478


def test_compact_network_fits_32_kilobytes_of_int8_with_its_int32_biases() -> None:
    network = networks.inference_form(networks.build("compact"))
    biases = network.parameter_count - network.weight_count
    assert network.weight_count + 4 * biases <= 32 * 1024


def test_nano_network_fits_8_kilobytes_of_int8_with_its_int32_biases() -> None:
    network = networks.inference_form(networks.build("nano"))
    biases = network.parameter_count - network.weight_count
    assert network.weight_count + 4 * biases <= 8 * 1024


@pytest.mark.parametrize("name", networks.names())
def test_every_network_gives_logits_and_the_embedding_under_them(name: str) -> None:
    network = networks.build(name).eval()
    logits, embedding = network(torch.randn(3, 128, 6))
    assert logits.shape == (3, 6)
    assert embedding.shape == (3, network.embedding_size)
    torch.testing.assert_close(network.classifier(embedding), logits)


@pytest.mark.parametrize("name", FOR_THE_BOARD)
def test_inference_forms_hold_only_layers_that_convert(name: str) -> None:
    folded = networks.inference_form(networks.build(name))
    assert not folded.training
    assert all(isinstance(m, _EXPORTABLE) for m in folded.modules())


def test_deep_conv_lstm_is_the_published_one() -> None:
    """Ordóñez and Roggen 2016: four convolutions of 64 maps, 5 long, unpadded, per sensor channel; two LSTMs of 128."""
    network = networks.build("deepconvlstm")
    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    assert [(m.out_channels, m.kernel_size, m.padding) for m in convolutions] == [(64, (1, 5), (0, 0))] * 4
    (lstm,) = (m for m in network.modules() if isinstance(m, nn.LSTM))
    assert (lstm.input_size, lstm.hidden_size, lstm.num_layers) == (64 * 6, 128, 2)
    gate = lstm.weight_hh_l1[:128].detach()
    torch.testing.assert_close(gate @ gate.T, torch.eye(128), rtol=0.0, atol=1e-5)


@pytest.mark.parametrize("name", ["compact", "nano"])
def test_the_loud_outputs_of_the_first_convolution_hear_sway_and_not_gravity(name: str) -> None:
    torch.manual_seed(0)
    network = networks.build(name)
    convolution, norm = network.body[1], network.body[2]
    loud = norm.weight > 1.0
    assert norm.weight.max() == 64.0
    assert 0 < loud.sum() < len(loud)
    gravity = torch.ones(1, 6, 1, 128)
    inner = convolution(gravity)[0, :, 0, 2:-2] - convolution.bias[:, None]
    torch.testing.assert_close(inner[loud], torch.zeros_like(inner[loud]), rtol=0.0, atol=1e-6)
    assert (inner[~loud].abs() > 1e-3).any()


@pytest.mark.parametrize("name", networks.names())
def test_the_inference_form_changes_nothing_but_rounding(name: str) -> None:
    torch.manual_seed(0)
    network = networks.build(name).train()
    for _ in range(5):  # so that the running statistics are not 0 and 1
        network(2.0 * torch.randn(32, 128, 6) + 1.0)
    for norm in (m for m in network.modules() if isinstance(m, nn.BatchNorm2d)):
        nn.init.uniform_(norm.weight, 0.5, 2.0)
        nn.init.uniform_(norm.bias, -1.0, 1.0)
    network = network.double().eval()
    windows = torch.randn(8, 128, 6, dtype=torch.float64)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    folded = networks.inference_form(network)
    for ours, theirs in zip(folded(windows), network(windows), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in folded.modules())
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())


def test_a_batch_norm_that_cannot_be_folded_is_refused() -> None:
    network = networks.build("compact")
    network.body.insert(4, nn.BatchNorm2d(16))
    with pytest.raises(TrainingError, match="right after a convolution, got one after ReLU6"):
        networks.inference_form(network)


def test_dropout_acts_in_training_only() -> None:
    network = networks.build("paper", dropout=0.5)
    windows = torch.randn(2, 128, 6)
    assert not torch.equal(network.train()(windows)[0], network(windows)[0])
    assert torch.equal(network.eval()(windows)[0], network(windows)[0])


def test_an_unknown_name_lists_the_known_ones() -> None:
    known = "compact, compact-plain, nano, paper, paper-gap, cnn, deepconvlstm"
    with pytest.raises(TrainingError, match=rf"{known}, got 'resnet'"):
        networks.build("resnet")


@pytest.mark.parametrize(("classes", "dropout", "what"), [(1, 0.0, "2 classes"), (6, 1.0, "dropout")])
def test_senseless_sizes_are_refused(classes: int, dropout: float, what: str) -> None:
    with pytest.raises(TrainingError, match=what):
        networks.build("compact", classes, dropout)


def test_windows_of_another_shape_are_refused() -> None:
    with pytest.raises(TrainingError, match=r"windows \(B, 128, 6\), got \(1, 6, 128\)"):
        networks.build("compact")(torch.zeros(1, 6, 128))
