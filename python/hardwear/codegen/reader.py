"""From a `.tflite` to the typed layer graph, with every multiplier exactly as TFLite-Micro computes it.

What TFLite-Micro would refuse, compute otherwise in another version, or let overflow is refused here, with
the layer and the operator named.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from hardwear.codegen.fixed_point import Multiplier, quantize_multiplier
from hardwear.codegen.graph import (
    INT8_MAX,
    INT8_MIN,
    Activation,
    AveragePool,
    Clamp,
    Conv1D,
    FullyConnected,
    Graph,
    Layer,
    MaxPool,
    Mean,
    Reshape,
    Tensor,
)
from hardwear.contract import CHANNEL_COUNT, CLASS_COUNT, WINDOW_SAMPLES
from hardwear.errors import ConversionError

SUPPORTED = ("CONV_2D", "MAX_POOL_2D", "AVERAGE_POOL_2D", "MEAN", "FULLY_CONNECTED", "LEAKY_RELU", "RELU", "RESHAPE")

_SCHEMA_VERSION = 3
_INT8 = range(INT8_MIN, INT8_MAX + 1)
_INT32_MAX = 2**31 - 1
_SIZE_MAX = 2**16 - 1
"""Elements of an activation: the kernels count them with 16 bits."""
_TAPS_MAX = 2**8 - 1
_NUMPY_TYPES = {schema.TensorType.INT8: np.int8, schema.TensorType.INT32: np.int32}
_OP_NAMES = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}
_TYPE_NAMES = {code: name for name, code in vars(schema.TensorType).items() if isinstance(code, int)}


def read_graph(model: bytes) -> Graph:
    """Reads an int8 network over one window.

    Args:
        model: The `.tflite` flatbuffer: int8 (1, 128, 6) in; int8 logits (1, 6) and embedding (1, E) out.

    Returns:
        The chain of layers, in the order of execution.

    Raises:
        ConversionError: Not such a model, or a layer that the engines do not support; the message names both.
    """
    return _Reader(model).graph()


class _Layer:
    """One operator of the flatbuffer, and how to complain about it."""

    def __init__(self, reader: "_Reader", number: int, operator: Any) -> None:
        code = reader.model.operatorCodes[operator.opcodeIndex]
        builtin = max(code.builtinCode, code.deprecatedBuiltinCode)
        self.op = _OP_NAMES.get(builtin, f"operator {builtin}")
        self.options = operator.builtinOptions
        self.inputs = [int(index) for index in operator.inputs]
        outputs = [int(index) for index in operator.outputs]
        self.where = f"layer {number} ({self.op}, {reader.tensor_name(outputs[0])!r})"
        self.require(len(outputs) == 1, f"expected one output, got {len(outputs)}")
        self.output = outputs[0]
        self.name = f"{self.op.lower().removesuffix('_2d')}_{number}"

    def require(self, met: bool, problem: str) -> None:
        """Raises the `ConversionError` of this layer unless `met`."""
        if not met:
            raise ConversionError(f"{self.where}: {problem}")


class _Reader:
    def __init__(self, model: bytes) -> None:
        if model[4:8] != b"TFL3":
            raise ConversionError("expected a .tflite model (flatbuffer TFL3), got something else; convert it again")
        self.model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(model, 0))
        if self.model.version != _SCHEMA_VERSION:
            raise ConversionError(f"expected a .tflite model of version {_SCHEMA_VERSION}, got {self.model.version}")
        if len(self.model.subgraphs) != 1:
            raise ConversionError(f"expected a model of one subgraph, got {len(self.model.subgraphs)}")
        self.subgraph = self.model.subgraphs[0]

    # Tensors

    def tensor_name(self, index: int) -> str:
        name = self.subgraph.tensors[index].name
        return name.decode(errors="replace") if isinstance(name, bytes) else str(name)

    def shape(self, index: int) -> tuple[int, ...]:
        shape = self.subgraph.tensors[index].shape
        return () if shape is None else tuple(int(size) for size in shape)

    def scales(self, index: int) -> npt.NDArray[np.float32]:
        quantization = self.subgraph.tensors[index].quantization
        scale = None if quantization is None else quantization.scale
        return np.zeros(0, np.float32) if scale is None else np.asarray(scale, np.float32)

    def zero_points(self, index: int) -> npt.NDArray[np.int64]:
        points = self.subgraph.tensors[index].quantization.zeroPoint
        return np.zeros(0, np.int64) if points is None else np.asarray(points, np.int64)

    def activation(self, index: int, where: str) -> Tensor:
        """The quantised int8 activation `index`, its shape folded to (positions, channels)."""
        shape, kind = self.shape(index), self.subgraph.tensors[index].type
        what = f"{where}: tensor {self.tensor_name(index)!r}"
        if kind != schema.TensorType.INT8:
            raise ConversionError(f"{what} is {_TYPE_NAMES.get(kind, kind)}, expected INT8; convert to full int8")
        if len(shape) < 2 or shape[0] != 1 or min(shape) < 1:
            raise ConversionError(f"{what} has shape {shape}, expected (1, …, channels) with a batch of one")
        if math.prod(shape) > _SIZE_MAX:
            raise ConversionError(f"{what} has {math.prod(shape)} elements, the engines count to {_SIZE_MAX}")
        scales = self.scales(index)
        if len(scales) != 1 or not np.isfinite(scales[0]) or scales[0] <= 0:
            raise ConversionError(f"{what} has scales {scales.tolist()}, expected one positive scale")
        zero_points = self.zero_points(index)
        if len(zero_points) != 1 or not INT8_MIN <= zero_points[0] <= INT8_MAX:
            raise ConversionError(f"{what} has zero points {zero_points.tolist()}, expected one of int8")
        return Tensor(
            index,
            self.tensor_name(index),
            positions=math.prod(shape[1:-1]),
            channels=shape[-1],
            scale=float(scales[0]),
            zero_point=int(zero_points[0]),
        )

    def constant(self, layer: _Layer, index: int, kind: int, what: str) -> npt.NDArray[Any]:
        """The constant tensor `index`, read-only."""
        tensor = self.subgraph.tensors[index]
        layer.require(
            tensor.type == kind,
            f"{what} are {_TYPE_NAMES.get(tensor.type, tensor.type)}, expected {_TYPE_NAMES[kind]}",
        )
        data = self.model.buffers[tensor.buffer].data
        expected = math.prod(self.shape(index)) * np.dtype(_NUMPY_TYPES[kind]).itemsize
        found = 0 if data is None else len(data)
        layer.require(
            found == expected, f"{what} hold {found} bytes, expected {expected}: not constant, or kept elsewhere"
        )
        values = np.frombuffer(bytes(data), np.dtype(_NUMPY_TYPES[kind]).newbyteorder("<"))
        return values.reshape(self.shape(index))

    # Layers

    def graph(self) -> Graph:
        inputs, outputs = list(self.subgraph.inputs), [int(index) for index in self.subgraph.outputs]
        if len(inputs) != 1 or self.shape(inputs[0]) != (1, WINDOW_SAMPLES, CHANNEL_COUNT):
            raise ConversionError(
                f"expected one input of shape (1, {WINDOW_SAMPLES}, {CHANNEL_COUNT}), "
                f"got {[self.shape(index) for index in inputs]}"
            )
        window = self.activation(int(inputs[0]), "input")
        layers: list[Layer] = []
        current = window
        for number, operator in enumerate(self.subgraph.operators):
            layer = _Layer(self, number, operator)
            read = _READERS.get(layer.op)
            layer.require(read is not None, f"is not supported; supported are {', '.join(SUPPORTED)}")
            assert read is not None
            layer.require(
                layer.inputs[0] == current.index,
                f"reads tensor {self.tensor_name(layer.inputs[0])!r} and not the layer before it, "
                f"{current.name!r}; only chains of layers are supported",
            )
            made = read(self, layer, current)
            layers.append(made)
            current = made.output
        return self._with_outputs(window, tuple(layers), outputs)

    def _with_outputs(self, window: Tensor, layers: tuple[Layer, ...], outputs: list[int]) -> Graph:
        written = {layer.output.index: layer.output for layer in layers}
        names = [f"{self.tensor_name(index)!r} {self.shape(index)}" for index in outputs]
        last = layers[-1].output if layers else window
        if len(set(outputs)) != 2 or last.index not in outputs or any(index not in written for index in outputs):
            raise ConversionError(
                "expected two outputs, an embedding and the last layer's logits, got " + ", ".join(names)
            )
        position = outputs.index(last.index)
        embedding = written[outputs[1 - position]]
        if last.size != CLASS_COUNT:
            raise ConversionError(f"expected {CLASS_COUNT} logits, got {last.size} in {last.name!r}")
        return Graph(window, layers, last, embedding, (position, 1 - position))

    def time_axis(self, layer: _Layer, index: int) -> int:
        """Length of the width of a (1, 1, width, channels) tensor."""
        shape = self.shape(index)
        layer.require(
            len(shape) == 4 and shape[1] == 1,
            f"works on {shape}, expected (1, 1, positions, channels): a convolution over time as (1, k)",
        )
        return shape[2]

    def clamp(self, layer: _Layer, output: Tensor) -> Clamp:
        """The range of a fused activation, as TFLite-Micro's CalculateActivationRangeQuantized gives it."""
        activation = layer.options.fusedActivationFunction
        kinds = schema.ActivationFunctionType
        low = max(INT8_MIN, output.zero_point)
        match activation:
            case kinds.NONE:
                return Clamp()
            case kinds.RELU:
                return Clamp(low)
            case kinds.RELU6:
                six = np.float32(6.0) / np.float32(output.scale)
                return Clamp(low, min(INT8_MAX, output.zero_point + math.floor(float(six) + 0.5)))
        raise ConversionError(f"{layer.where}: fuses activation {activation}, expected none, ReLU or ReLU6")

    def weights(
        self, layer: _Layer, per_channel: bool
    ) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """Weights (outputs first), bias (zeros if there is none) and the weights' scales."""
        index = layer.inputs[1]
        weights = self.constant(layer, index, schema.TensorType.INT8, "weights")
        scales, outputs = self.scales(index), weights.shape[0]
        allowed = (1, outputs) if per_channel else (1,)
        layer.require(
            len(scales) in allowed,
            f"has {len(scales)} weight scales, expected {' or '.join(map(str, allowed))}"
            + ("" if per_channel else " (per-channel layers differ between versions of TFLite-Micro)"),
        )
        layer.require(
            bool(np.isfinite(scales).all() and (scales >= 0).all()),
            f"has weight scales from {scales.min()} to {scales.max()}, expected finite ones >= 0",
        )
        layer.require(
            len(scales) == 1 or self.subgraph.tensors[index].quantization.quantizedDimension == 0,
            "quantises its weights along another dimension than the output channels",
        )
        layer.require(not self.zero_points(index).any(), "has weights with a zero point, expected symmetric ones")
        if len(layer.inputs) < 3 or layer.inputs[2] < 0:
            return weights, np.zeros(outputs, np.int32), scales
        bias = self.constant(layer, layer.inputs[2], schema.TensorType.INT32, "biases")
        layer.require(bias.shape == (outputs,), f"has biases of shape {bias.shape}, expected ({outputs},)")
        return weights, bias, scales

    def conv(self, layer: _Layer, source: Tensor) -> Conv1D:
        options, output = layer.options, self.activation(layer.output, layer.where)
        weights, bias, scales = self.weights(layer, per_channel=True)
        positions = self.time_axis(layer, source.index)
        layer.require(
            weights.ndim == 4 and weights.shape[1] == 1 and weights.shape[3] == source.channels,
            f"has weights of shape {weights.shape}, expected (outputs, 1, taps, {source.channels})",
        )
        layer.require(
            max(weights.shape[2], options.strideW) <= _TAPS_MAX,
            f"has {weights.shape[2]} taps and stride {options.strideW}, the engines count to {_TAPS_MAX}",
        )
        layer.require(
            options.strideH == options.dilationWFactor == options.dilationHFactor == 1 and options.strideW >= 1,
            "has a dilation, or a stride over more than time",
        )
        convolved, pad_left = _windowed(positions, weights.shape[2], options.strideW, options.padding)
        expected = (1, 1, convolved, weights.shape[0])
        layer.require(
            convolved >= 1 and self.shape(layer.output) == expected,
            f"writes {self.shape(layer.output)}, expected {expected}",
        )
        # TFLite: the products of scales in double, for each channel.
        per_channel = np.broadcast_to(scales, (weights.shape[0],)).astype(np.float64)
        made = Conv1D(
            layer.name,
            source,
            output,
            stride=options.strideW,
            pad_left=pad_left,
            weights=weights[:, 0],
            bias=bias,
            multipliers=tuple(quantize_multiplier(source.scale * float(scale) / output.scale) for scale in per_channel),
            clamp=self.clamp(layer, output),
        )
        _require_headroom(layer, source, made.weights, bias, made.multipliers)
        return made

    def fully_connected(self, layer: _Layer, source: Tensor) -> FullyConnected:
        output = self.activation(layer.output, layer.where)
        weights, bias, scales = self.weights(layer, per_channel=False)
        layer.require(
            layer.options.weightsFormat == schema.FullyConnectedOptionsWeightsFormat.DEFAULT,
            "has shuffled weights, expected the default format",
        )
        layer.require(
            weights.ndim == 2 and weights.shape[1] == source.size and weights.shape[0] == output.size,
            f"has weights of shape {weights.shape}, expected ({output.size}, {source.size})",
        )
        # TFLite: the product of input and weight scale is rounded to float before the division in double.
        product = np.float32(source.scale) * np.float32(scales[0])
        if len(layer.inputs) > 2 and layer.inputs[2] >= 0:
            bias_scale = self.scales(layer.inputs[2])
            layer.require(len(bias_scale) == 1, f"has {len(bias_scale)} bias scales, expected 1")
            difference = abs(source.scale * float(scales[0]) - float(bias_scale[0])) / output.scale
            layer.require(difference <= 0.02, "has a bias scale that is not input scale * weight scale")
        made = FullyConnected(
            layer.name,
            source,
            output,
            weights,
            bias,
            quantize_multiplier(float(product) / output.scale),
            self.clamp(layer, output),
        )
        _require_headroom(layer, source, weights, bias, (made.multiplier,))
        return made

    def pool(self, layer: _Layer, source: Tensor) -> MaxPool | AveragePool:
        options, output = layer.options, self.activation(layer.output, layer.where)
        positions = self.time_axis(layer, source.index)
        width, stride = options.filterWidth, options.strideW
        layer.require(options.filterHeight == 1 and width >= 1 and stride >= 1, "pools over more than time")
        pooled, _ = _windowed(positions, width, stride, options.padding)
        layer.require((pooled - 1) * stride + width <= positions, "pads, expected pools within the input")
        expected = (1, 1, pooled, source.channels)
        layer.require(
            pooled >= 1 and self.shape(layer.output) == expected,
            f"writes {self.shape(layer.output)}, expected {expected}",
        )
        layer.require(
            abs(source.scale - output.scale) <= 1e-6 and source.zero_point == output.zero_point,
            "changes scale or zero point, which pooling can't",
        )
        kind = MaxPool if layer.op == "MAX_POOL_2D" else AveragePool
        return kind(layer.name, source, output, width, stride, self.clamp(layer, output))

    def mean(self, layer: _Layer, source: Tensor) -> Mean:
        output, shape = self.activation(layer.output, layer.where), self.shape(source.index)
        axes = self.constant(layer, layer.inputs[1], schema.TensorType.INT32, "axes")
        reduced = {int(axis) % len(shape) for axis in np.atleast_1d(axes)}
        over_time = {axis for axis in range(1, len(shape) - 1) if shape[axis] > 1}
        layer.require(
            over_time <= reduced and not {0, len(shape) - 1} & reduced,
            f"reduces axes {sorted(reduced)} of {shape}, expected all axes but the first and the last",
        )
        layer.require(output.size == source.channels, f"writes {output.size} values, expected {source.channels}")
        # TFLite folds 1/positions into the multiplier, with as many bits of it as the shift has room for.
        scaled = quantize_multiplier(source.scale / output.scale)
        positions = source.positions
        spare = min(positions.bit_length() - 1, 32, 31 + scaled.shift)
        multiplier = Multiplier((scaled.mantissa << spare) // positions, scaled.shift - spare)
        largest = positions * 255 << max(multiplier.shift, 0)
        layer.require(largest <= _INT32_MAX, "could overflow its 32-bit sum")
        return Mean(layer.name, source, replace(output, positions=1, channels=output.size), multiplier)

    def activation_layer(self, layer: _Layer, source: Tensor) -> Activation:
        output = self.activation(layer.output, layer.where)
        alpha = float(np.float32(layer.options.alpha)) if layer.op == "LEAKY_RELU" else 0.0
        layer.require(output.size == source.size, f"writes {output.size} values, expected {source.size}")
        layer.require(math.isfinite(alpha) and alpha >= 0, f"has alpha {alpha}, expected a finite slope >= 0")
        # TFLite: these products in float, from left to right.
        in_scale, out_scale = np.float32(source.scale), np.float32(output.scale)
        identity = quantize_multiplier(float(in_scale / out_scale))
        slope = quantize_multiplier(float(in_scale * np.float32(alpha) / out_scale))
        layer.require(255 << max(identity.shift, slope.shift, 0) <= _INT32_MAX, "could overflow 32 bits")

        def value(q: int) -> int:
            difference = q - source.zero_point
            scaled = (identity if difference >= 0 else slope).apply(difference)
            return min(max(scaled + output.zero_point, INT8_MIN), INT8_MAX)

        return Activation(layer.op, layer.name, source, output, alpha, tuple(map(value, _INT8)))

    def reshape(self, layer: _Layer, source: Tensor) -> Reshape:
        output = self.activation(layer.output, layer.where)
        layer.require(output.size == source.size, f"writes {output.size} values, expected {source.size}")
        return Reshape(layer.name, source, output)


_READERS: dict[str, Callable[[_Reader, _Layer, Tensor], Layer]] = {
    "CONV_2D": _Reader.conv,
    "FULLY_CONNECTED": _Reader.fully_connected,
    "MAX_POOL_2D": _Reader.pool,
    "AVERAGE_POOL_2D": _Reader.pool,
    "MEAN": _Reader.mean,
    "LEAKY_RELU": _Reader.activation_layer,
    "RELU": _Reader.activation_layer,
    "RESHAPE": _Reader.reshape,
}


def _windowed(positions: int, width: int, stride: int, padding: int) -> tuple[int, int]:
    """Positions out and padding before the first, as TFLite computes them."""
    if padding == schema.Padding.VALID:
        return (positions - width) // stride + 1, 0
    out = math.ceil(positions / stride)
    return out, max((out - 1) * stride + width - positions, 0) // 2


def _require_headroom(
    layer: _Layer,
    source: Tensor,
    weights: npt.NDArray[np.int8],
    bias: npt.NDArray[np.int32],
    multipliers: tuple[Multiplier, ...],
) -> None:
    """No window can overflow the 32-bit accumulator, or its left shift, of any output."""
    reach = max(INT8_MAX - source.zero_point, source.zero_point - INT8_MIN)
    flat = np.abs(weights.reshape(len(weights), -1).astype(np.int64))
    # The folded bias and each partial sum stay below this as well.
    largest = np.maximum(np.abs(bias.astype(np.int64)) + flat.sum(axis=1) * (reach + 128), 1)
    shifts = np.array([max(multiplier.shift, 0) for multiplier in multipliers])
    worst = int((largest << np.minimum(shifts, 31)).max())
    layer.require(
        worst <= _INT32_MAX,
        f"could overflow 32 bits (its largest accumulator is {worst}); check scales and biases",
    )
