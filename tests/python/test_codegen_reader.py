"""The graph holds TFLite-Micro's integers, and what can't be run is refused with layer and operator named."""

from collections.abc import Callable
from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt
import pytest
from engine_models import NETWORKS
from tflite_builder import OPS, ModelBuilder, schema

from hardwear.codegen import read_graph
from hardwear.codegen.fixed_point import quantize_multiplier
from hardwear.codegen.graph import Activation, Conv1D, FullyConnected, MaxPool, Mean
from hardwear.errors import ConversionError


def head(model: ModelBuilder) -> ModelBuilder:
    """Whatever came before, then an embedding and logits."""
    return model.flatten().dense(4, relu=True).mark_embedding().dense(6)


def test_the_graph_tells_shapes_and_work() -> None:
    graph = read_graph(NETWORKS["compact"]())
    conv = graph.layers[1]
    assert isinstance(conv, Conv1D)
    assert (conv.taps, conv.pad_left, conv.stride, conv.macs) == (5, 2, 1, 128 * 16 * 5 * 6)
    assert conv.weights.shape == (16, 5, 6)
    assert conv.clamp.low == conv.output.zero_point
    assert (graph.window.positions, graph.window.channels) == (128, 6)
    assert (graph.logits.size, graph.embedding.size) == (6, 64)
    assert graph.macs == sum(layer.macs for layer in graph.layers)
    assert graph.ops == ("RESHAPE", "CONV_2D", "MAX_POOL_2D", "AVERAGE_POOL_2D", "FULLY_CONNECTED")


@pytest.mark.parametrize("swapped", [False, True])
def test_logits_are_the_last_layer_wherever_they_stand_in_the_outputs(swapped: bool) -> None:
    model = head(ModelBuilder())
    model.finish()
    outputs = [model.current, model.embedding]
    model.graph.outputs = np.array(outputs[::-1] if swapped else outputs, np.int32)
    graph = read_graph(packed(model))
    assert graph.logits.index == model.current
    assert graph.outputs == ((1, 0) if swapped else (0, 1))


def scale_triples(model: ModelBuilder, code: int) -> list[tuple[np.float32, npt.NDArray[np.float32], np.float32]]:
    """Scales of input, weights and output of each operator of this code."""
    return [
        (model.scale_of(o.inputs[0])[0], model.scale_of(o.inputs[1]), model.scale_of(o.outputs[0])[0])
        for o in model.graph.operators
        if model.model.operatorCodes[o.opcodeIndex].builtinCode == code
    ]


def test_convolutions_multiply_their_scales_in_double() -> None:
    model = head(ModelBuilder().conv(16, 3))
    (conv,) = (layer for layer in read_graph(model.finish()).layers if isinstance(layer, Conv1D))
    ((source, weights, out),) = scale_triples(model, OPS.CONV_2D)
    in_double = tuple(quantize_multiplier(float(source) * float(weight) / float(out)) for weight in weights)
    in_float = tuple(quantize_multiplier(float(source * weight) / float(out)) for weight in weights)
    assert conv.multipliers == in_double
    assert conv.multipliers != in_float


def test_dense_layers_round_the_product_of_scales_to_float() -> None:
    model = ModelBuilder().flatten()
    for _ in range(5):
        model.dense(8)
    model.mark_embedding().dense(6)
    layers = [layer for layer in read_graph(model.finish()).layers if isinstance(layer, FullyConnected)]
    triples = scale_triples(model, OPS.FULLY_CONNECTED)
    found = [layer.multiplier for layer in layers]
    assert found == [quantize_multiplier(float(s * w[0]) / float(o)) for s, w, o in triples]
    assert found != [quantize_multiplier(float(s) * float(w[0]) / float(o)) for s, w, o in triples]


def test_mean_folds_the_count_into_its_multiplier() -> None:
    graph = read_graph(NETWORKS["global_mean"]())
    (mean,) = (layer for layer in graph.layers if isinstance(layer, Mean))
    real = mean.multiplier.mantissa * 2.0 ** (mean.multiplier.shift - 31)
    assert real == pytest.approx(mean.input.scale / mean.output.scale / mean.input.positions, rel=1e-6)


def test_activations_become_tables_that_keep_zero_and_order() -> None:
    graph = read_graph(NETWORKS["odd_shapes"]())
    found = [layer for layer in graph.layers if isinstance(layer, Activation)]
    assert [layer.op for layer in found] == ["RELU", "LEAKY_RELU", "LEAKY_RELU", "LEAKY_RELU"]
    for layer in found:
        assert len(layer.table) == 256
        assert layer.table[layer.input.zero_point + 128] == layer.output.zero_point
        assert list(layer.table) == sorted(layer.table)


def test_weights_are_read_only() -> None:
    (conv, *_) = (layer for layer in read_graph(NETWORKS["compact"]()).layers if isinstance(layer, Conv1D))
    with pytest.raises(ValueError, match="read-only"):
        conv.weights[0, 0, 0] = 1


# What is refused


def operator(model: ModelBuilder, code: int) -> Any:
    """The first operator of this code."""
    return next(o for o in model.graph.operators if model.model.operatorCodes[o.opcodeIndex].builtinCode == code)


def packed(model: ModelBuilder) -> bytes:
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def foreign_op(model: ModelBuilder) -> None:
    code = model.model.operatorCodes[operator(model, OPS.MAX_POOL_2D).opcodeIndex]
    code.builtinCode = code.deprecatedBuiltinCode = OPS.L2_POOL_2D


def dilation(model: ModelBuilder) -> None:
    operator(model, OPS.CONV_2D).builtinOptions.dilationWFactor = 2


def two_dimensional_pool(model: ModelBuilder) -> None:
    operator(model, OPS.MAX_POOL_2D).builtinOptions.filterHeight = 2


def tanh(model: ModelBuilder) -> None:
    operator(model, OPS.CONV_2D).builtinOptions.fusedActivationFunction = schema.ActivationFunctionType.TANH


def float_activation(model: ModelBuilder) -> None:
    model.graph.tensors[operator(model, OPS.CONV_2D).outputs[0]].type = schema.TensorType.FLOAT32


def asymmetric_weights(model: ModelBuilder) -> None:
    weights = model.graph.tensors[operator(model, OPS.CONV_2D).inputs[1]]
    weights.quantization.zeroPoint = weights.quantization.zeroPoint + 3


def weights_elsewhere(model: ModelBuilder) -> None:
    model.graph.tensors[operator(model, OPS.CONV_2D).inputs[1]].buffer = 0


def pool_that_rescales(model: ModelBuilder) -> None:
    model.quantize(operator(model, OPS.MAX_POOL_2D).outputs[0], 0.5, 3)


def skip_connection(model: ModelBuilder) -> None:
    operator(model, OPS.MAX_POOL_2D).inputs[0] = operator(model, OPS.CONV_2D).inputs[0]


def bias_of_another_scale(model: ModelBuilder) -> None:
    model.quantize(operator(model, OPS.FULLY_CONNECTED).inputs[2], 1e3)


def enormous_bias(model: ModelBuilder) -> None:
    tensor = model.graph.tensors[operator(model, OPS.CONV_2D).inputs[2]]
    model.model.buffers[tensor.buffer].data = np.full(5, 2**31 - 1, np.int32).view(np.uint8)


@pytest.mark.parametrize(
    ("spoil", "names"),
    [
        (foreign_op, "L2_POOL_2D.*not supported"),
        (dilation, "CONV_2D.*dilation"),
        (two_dimensional_pool, "MAX_POOL_2D.*more than time"),
        (tanh, "CONV_2D.*ReLU6"),
        (float_activation, "CONV_2D.*FLOAT32"),
        (asymmetric_weights, "CONV_2D.*zero point"),
        (weights_elsewhere, "CONV_2D.*weights hold 0 bytes"),
        (pool_that_rescales, "MAX_POOL_2D.*scale"),
        (skip_connection, "MAX_POOL_2D.*chain"),
        (bias_of_another_scale, "FULLY_CONNECTED.*bias scale"),
        (enormous_bias, "CONV_2D.*overflow"),
    ],
)
def test_what_the_engines_cannot_run_is_refused_by_layer_and_operator(
    spoil: Callable[[ModelBuilder], None], names: str
) -> None:
    model = head(ModelBuilder().conv(5, 3).max_pool(2))
    model.finish()
    assert read_graph(packed(model)).logits.size == 6
    spoil(model)
    with pytest.raises(ConversionError, match=r"layer \d+ \(" + names):
        read_graph(packed(model))


def test_dense_layers_quantised_per_channel_are_refused() -> None:
    model = ModelBuilder().flatten().dense(4, per_channel=True).mark_embedding().dense(6)
    with pytest.raises(ConversionError, match=r"layer 2 \(FULLY_CONNECTED.*4 weight scales"):
        read_graph(model.finish())


def test_leaky_relu_of_negative_slope_is_refused() -> None:
    with pytest.raises(ConversionError, match=r"LEAKY_RELU.*alpha -0\.5"):
        read_graph(head(ModelBuilder().leaky_relu(-0.5)).finish())


def test_another_window_another_number_of_outputs_and_no_model_are_refused() -> None:
    with pytest.raises(ConversionError, match="one input of shape"):
        read_graph(head(ModelBuilder(window=(64, 6))).finish())
    with pytest.raises(ConversionError, match="two outputs"):
        read_graph(ModelBuilder().flatten().dense(6).mark_embedding().finish())
    with pytest.raises(ConversionError, match="6 logits, got 5"):
        read_graph(ModelBuilder().flatten().dense(4).mark_embedding().dense(5).finish())
    with pytest.raises(ConversionError, match="TFL3"):
        read_graph(b"\x00" * 64)


def test_layers_beyond_the_kernels_counters_are_refused() -> None:
    with pytest.raises(ConversionError, match=r"CONV_2D.*256 taps"):
        read_graph(head(ModelBuilder().conv(2, 256)).finish())
    with pytest.raises(ConversionError, match=r"CONV_2D.*65536 elements"):
        read_graph(head(ModelBuilder().conv(512, 1)).finish())


def test_a_pool_reads_only_what_is_there() -> None:
    graph = read_graph(head(ModelBuilder().max_pool(5, stride=3)).finish())
    (pool,) = (layer for layer in graph.layers if isinstance(layer, MaxPool))
    assert pool.output.positions == 42
    assert (pool.output.positions - 1) * pool.stride + pool.width <= pool.input.positions
