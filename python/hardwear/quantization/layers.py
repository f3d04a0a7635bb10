"""An ONNX graph read into the short list of layers that the board can run, or refused by name.

Reading is where a model that can't be converted fails: within milliseconds, with the layer and the op, and before
TensorFlow is imported. Everything here is in the order that the chip works in: (time, channel), one window at a time.
ONNX works in (channel, time), so the first dense layer after a flatten has its inputs put into the new order.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

from hardwear.contract import CHANNEL_COUNT, CLASS_COUNT, WINDOW_SAMPLES
from hardwear.errors import ConversionError
from hardwear.quantization.onnx_export import EMBEDDING_NAME, INPUT_NAME, LOGITS_NAME

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Convolution:
    """A convolution over time: weights (outputs, inputs, taps), bias (outputs,)."""

    name: str
    weights: FloatArray
    bias: FloatArray
    same: bool
    """Zero-padded so that as many samples come out as go in; else not padded at all."""
    stride: int


@dataclass(frozen=True)
class Activation:
    """max(x, slope * x); a slope of 0 is plain ReLU. Capped at 6 it is ReLU6."""

    name: str
    slope: float
    capped: bool = False


@dataclass(frozen=True)
class MaxPool:
    """The largest of every `size` samples; a rest shorter than that is dropped."""

    name: str
    size: int


@dataclass(frozen=True)
class AveragePool:
    """The mean of every `size` samples; a rest shorter than that is dropped."""

    name: str
    size: int


@dataclass(frozen=True)
class GlobalAverage:
    """The mean over time: one number for each channel."""

    name: str


@dataclass(frozen=True)
class Flatten:
    """All samples of all channels as one vector, channel fastest."""

    name: str


@dataclass(frozen=True)
class Dense:
    """A fully connected layer: weights (outputs, inputs), bias (outputs,)."""

    name: str
    weights: FloatArray
    bias: FloatArray


Layer = Convolution | Activation | MaxPool | AveragePool | GlobalAverage | Flatten | Dense


@dataclass(frozen=True)
class LayerList:
    """A plain chain of layers from the window to the logits.

    Attributes:
        layers: In order; the last one gives the six logits.
        embedding: Index of the layer whose output is the embedding.
        embedding_size: Numbers in the embedding.
    """

    layers: tuple[Layer, ...]
    embedding: int
    embedding_size: int


@dataclass(frozen=True)
class _Signal:
    """What flows between two layers: `length` samples of `channels`, or a vector of `channels` once flat."""

    channels: int
    length: int
    flat: bool = False
    transposed: tuple[int, int] | None = None
    """(channels, length) of the signal that a vector was flattened from, while ONNX's order differs from ours."""


@dataclass
class _Reader:
    """The state of one reading: the constants, the chain so far, and the tensor that it ends in."""

    constants: dict[str, npt.NDArray[Any]]
    tensor: str
    signal: _Signal
    layers: list[Layer] = field(default_factory=list)
    channels_first: bool = False
    embedding: int | None = None
    embedding_size: int = 0

    def constant(self, node: onnx.NodeProto, position: int) -> npt.NDArray[Any]:
        name = node.input[position]
        if name not in self.constants:
            raise _refuse(node, f"input {position} ({name}) is computed; only trained constants can be converted")
        return self.constants[name]

    def emit(self, layer: Layer, signal: _Signal) -> None:
        self.layers.append(layer)
        self.signal = signal


def read_onnx(path: Path) -> LayerList:
    """Read an ONNX file into a list of layers.

    Args:
        path: ONNX file with input `window` (1, 128, 6) and outputs `logits` (1, 6) and `embedding` (1, E).

    Returns:
        The layers, with batch norm folded into the layer before it.

    Raises:
        ConversionError: Unreadable file, other inputs or outputs, a branch, or an op or option that the board can't
            run; the message names layer and op.
    """
    graph = _load(path).graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    reader = _Reader(constants, INPUT_NAME, _Signal(CHANNEL_COUNT, WINDOW_SAMPLES))
    for node in graph.node:
        if node.op_type == "Constant":
            constants[node.output[0]] = numpy_helper.to_array(_attributes(node)["value"])
            continue
        if node.op_type == "Identity" and node.input[0] in constants:
            constants[node.output[0]] = constants[node.input[0]]
            continue
        handler = _HANDLERS.get(node.op_type)
        if handler is None:
            raise _refuse(node, f"the board runs only {', '.join(sorted(_HANDLERS))}")
        if node.input[0] != reader.tensor:
            raise _refuse(
                node,
                f"it reads {node.input[0]} where the chain is at {reader.tensor}; only a plain chain of layers runs",
            )
        handler(reader, node)
        reader.tensor = node.output[0]
        if reader.tensor == EMBEDDING_NAME:
            _tap_embedding(reader, node)
    if reader.tensor != LOGITS_NAME or reader.embedding is None:
        raise ConversionError(
            f"{path}: expected a chain that passes {EMBEDDING_NAME} and ends in {LOGITS_NAME}, "
            f"but it ends in {reader.tensor}" + ("" if reader.embedding is not None else f" without {EMBEDDING_NAME}")
        )
    last = reader.layers[-1]
    if not isinstance(last, Dense) or last.weights.shape[0] != CLASS_COUNT:
        raise ConversionError(
            f"layer {last.name} ({type(last).__name__}): expected the last layer to be Dense with the {CLASS_COUNT} "
            f"logits of the contract, got a shape of {getattr(getattr(last, 'weights', None), 'shape', 'no weights')}"
        )
    return LayerList(tuple(reader.layers), reader.embedding, reader.embedding_size)


def _load(path: Path) -> onnx.ModelProto:
    try:
        model = onnx.load(str(path))
        onnx.checker.check_model(model)
    except Exception as error:  # onnx and protobuf have no common base class for "not an ONNX file"
        raise ConversionError(f"{path}: expected an ONNX file, but it can't be read: {error}") from error
    shapes = {
        value.name: [dimension.dim_value for dimension in value.type.tensor_type.shape.dim]
        for value in (*model.graph.input, *model.graph.output)
    }
    if shapes.get(INPUT_NAME) != [1, WINDOW_SAMPLES, CHANNEL_COUNT] or set(shapes) != {
        INPUT_NAME,
        LOGITS_NAME,
        EMBEDDING_NAME,
    }:
        raise ConversionError(
            f"{path}: expected input {INPUT_NAME} [1, {WINDOW_SAMPLES}, {CHANNEL_COUNT}] and outputs {LOGITS_NAME} and "
            f"{EMBEDDING_NAME}, got {shapes}; write it with export_onnx"
        )
    return model


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}


def _refuse(node: onnx.NodeProto, reason: str) -> ConversionError:
    return ConversionError(f"layer {node.name or node.output[0]} ({node.op_type}): {reason}")


def _require_signal(reader: _Reader, node: onnx.NodeProto) -> None:
    if reader.signal.flat or not reader.channels_first:
        raise _refuse(node, "expected a (1, channels, samples) signal; transpose the window first and flatten last")


def _tap_embedding(reader: _Reader, node: onnx.NodeProto) -> None:
    if not reader.signal.flat or reader.signal.transposed is not None or not reader.layers:
        raise _refuse(node, "the embedding must be a vector that a dense layer or a global average gives")
    reader.embedding, reader.embedding_size = len(reader.layers) - 1, reader.signal.channels


def _transpose(reader: _Reader, node: onnx.NodeProto) -> None:
    if reader.layers or reader.channels_first or list(_attributes(node).get("perm", [])) != [0, 2, 1]:
        raise _refuse(node, "only the window itself may be transposed, (1, 128, 6) to (1, 6, 128)")
    reader.channels_first = True


def _convolution(reader: _Reader, node: onnx.NodeProto) -> None:
    _require_signal(reader, node)
    attributes = _attributes(node)
    weights = reader.constant(node, 1).astype(np.float32)
    if weights.ndim != 3:
        raise _refuse(node, f"expected a convolution over time (Conv1d), got weights of shape {weights.shape}")
    outputs, _, taps = weights.shape
    bias = reader.constant(node, 2).astype(np.float32) if len(node.input) > 2 else np.zeros(outputs, np.float32)
    if attributes.get("group", 1) != 1 or any(step != 1 for step in attributes.get("dilations", [1])):
        raise _refuse(node, "groups and dilation are not supported; use groups=1 and dilation=1")
    stride, same = attributes.get("strides", [1])[0], _same_padding(node, attributes, taps)
    if same and stride != 1:
        raise _refuse(node, f"padding with stride {stride} is not supported; use padding='same' with stride 1, or none")
    length = reader.signal.length if same else (reader.signal.length - taps) // stride + 1
    if length < 1:
        raise _refuse(node, f"{taps} taps do not fit the {reader.signal.length} samples that are left")
    reader.emit(Convolution(node.name, weights, bias, same, stride), _Signal(outputs, length))


def _same_padding(node: onnx.NodeProto, attributes: dict[str, Any], taps: int) -> bool:
    """Whether as many zeros are added as keep the length; False for no padding at all."""
    pads = tuple(attributes.get("pads", [0, 0]))
    match attributes.get("auto_pad", b"NOTSET"):
        case b"SAME_UPPER":
            return True
        case b"SAME_LOWER" if taps % 2 == 1:
            return True
        case b"NOTSET" | b"VALID" if pads == (0, 0):
            return False
        case b"NOTSET" if pads == ((taps - 1) // 2, taps // 2):
            return True
        case mode:
            raise _refuse(
                node,
                f"padding {pads} ({mode.decode()}) with {taps} taps is not supported; "
                "use padding='same' with stride 1, or none",
            )


def _batch_norm(reader: _Reader, node: onnx.NodeProto) -> None:
    """Fold y = gamma (x - mean) / sqrt(var + epsilon) + beta into the weights that gave x."""
    before = reader.layers[-1] if reader.layers else None
    if not isinstance(before, Convolution | Dense) or reader.embedding == len(reader.layers) - 1:
        raise _refuse(node, "batch norm can only be folded into the convolution or dense layer right before it")
    gamma, beta, mean, variance = (reader.constant(node, i).astype(np.float64) for i in range(1, 5))
    gain = gamma / np.sqrt(variance + _attributes(node).get("epsilon", 1e-5))
    weights = before.weights * gain.reshape(-1, *[1] * (before.weights.ndim - 1))
    bias = (before.bias - mean) * gain + beta
    reader.layers[-1] = replace(before, weights=weights.astype(np.float32), bias=bias.astype(np.float32))


def _activation(reader: _Reader, node: onnx.NodeProto) -> None:
    slope = float(_attributes(node).get("alpha", 0.01)) if node.op_type == "LeakyRelu" else 0.0
    if not 0.0 <= slope < 1.0:
        raise _refuse(node, f"expected a negative slope of 0 to 1, got {slope}")
    reader.emit(Activation(node.name, slope), reader.signal)


def _clip(reader: _Reader, node: onnx.NodeProto) -> None:
    bounds = [float(reader.constant(node, position)) for position in range(1, len(node.input))]
    if bounds != [0.0, 6.0]:
        raise _refuse(node, f"expected ReLU6, which cuts at 0 and 6, got the bounds {bounds}")
    reader.emit(Activation(node.name, 0.0, capped=True), reader.signal)


def _pool(reader: _Reader, node: onnx.NodeProto) -> None:
    _require_signal(reader, node)
    attributes = _attributes(node)
    size, padded = attributes["kernel_shape"][0], any(attributes.get("pads", [0]))
    plain = attributes.get("ceil_mode", 0) == 0 and all(step == 1 for step in attributes.get("dilations", [1]))
    if list(attributes.get("strides", [1])) != [size] or padded or not plain or len(attributes["kernel_shape"]) != 1:
        raise _refuse(
            node, "expected pooling over time with stride = size, no padding, no dilation and ceil_mode=False"
        )
    if size > reader.signal.length:
        raise _refuse(node, f"it pools {size} samples, but only {reader.signal.length} are left")
    pool = MaxPool if node.op_type == "MaxPool" else AveragePool
    reader.emit(pool(node.name, size), _Signal(reader.signal.channels, reader.signal.length // size))


def _global_average(reader: _Reader, node: onnx.NodeProto) -> None:
    _require_signal(reader, node)
    if node.op_type == "ReduceMean":
        axes = reader.constant(node, 1).tolist() if len(node.input) > 1 else _attributes(node).get("axes", [])
        if [axis % 3 for axis in axes] != [2]:
            raise _refuse(node, f"expected a mean over time (axis 2), got axes {list(axes)}")
    reader.emit(GlobalAverage(node.name), _Signal(reader.signal.channels, 1, flat=True))


def _flatten(reader: _Reader, node: onnx.NodeProto) -> None:
    signal = reader.signal
    size = signal.channels * signal.length
    if node.op_type == "Reshape" and reader.constant(node, 1).tolist() not in ([1, -1], [1, size], [-1, size], [0, -1]):
        raise _refuse(node, f"expected a flatten to (1, {size}), got {reader.constant(node, 1).tolist()}")
    if node.op_type == "Flatten" and _attributes(node).get("axis", 1) != 1:
        raise _refuse(node, "expected a flatten of all but the batch axis (axis 1)")
    if signal.flat:
        return
    if node.op_type == "Squeeze":
        raise _refuse(node, "only the single sample that a global average leaves can be squeezed")
    _require_signal(reader, node)
    mixed = (signal.channels, signal.length) if signal.channels > 1 and signal.length > 1 else None
    reader.emit(Flatten(node.name), _Signal(size, 1, flat=True, transposed=mixed))


def _dense(reader: _Reader, node: onnx.NodeProto) -> None:
    attributes = _attributes(node)
    if not reader.signal.flat:
        raise _refuse(node, "expected a vector; flatten the signal first")
    if attributes.get("alpha", 1.0) != 1.0 or attributes.get("beta", 1.0) != 1.0 or attributes.get("transA", 0):
        raise _refuse(node, "expected a plain dense layer (Linear)")
    weights = reader.constant(node, 1).astype(np.float32)
    weights = weights if attributes.get("transB", 0) else weights.T
    bias = reader.constant(node, 2).astype(np.float32) if len(node.input) > 2 else np.zeros(len(weights), np.float32)
    if reader.signal.transposed is not None:
        weights = weights.reshape(-1, *reader.signal.transposed).transpose(0, 2, 1).reshape(len(weights), -1)
    dense = Dense(node.name, np.ascontiguousarray(weights), np.broadcast_to(bias, len(weights)).copy())
    reader.emit(dense, _Signal(len(weights), 1, flat=True))


def _identity(reader: _Reader, node: onnx.NodeProto) -> None:
    """Dropout and Identity do nothing once training is over."""


def _handlers(
    table: Iterable[tuple[Callable[[_Reader, onnx.NodeProto], None], str]],
) -> dict[str, Callable[[_Reader, onnx.NodeProto], None]]:
    return {op: handler for handler, ops in table for op in ops.split()}


_HANDLERS = _handlers(
    [
        (_transpose, "Transpose"),
        (_convolution, "Conv"),
        (_batch_norm, "BatchNormalization"),
        (_activation, "Relu LeakyRelu"),
        (_clip, "Clip"),
        (_pool, "MaxPool AveragePool"),
        (_global_average, "GlobalAveragePool ReduceMean"),
        (_flatten, "Flatten Reshape Squeeze"),
        (_dense, "Gemm"),
        (_identity, "Identity Dropout"),
    ]
)
