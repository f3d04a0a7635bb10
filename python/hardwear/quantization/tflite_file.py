"""What a .tflite file holds, read without TensorFlow, and whether it is the int8 model that the board can run.

The schema is the one that the `tflite-micro` package ships (tensorflow/compiler/mlir/lite/schema/schema.fbs).
"""

from dataclasses import dataclass
from math import prod
from typing import Any

from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from hardwear.contract import CHANNEL_COUNT, CLASS_COUNT, WINDOW_SAMPLES
from hardwear.errors import ConversionError

ALLOWED_OPS: frozenset[str] = frozenset(
    {
        "AVERAGE_POOL_2D",
        "CONV_2D",
        "FULLY_CONNECTED",
        "LEAKY_RELU",
        "MAX_POOL_2D",
        "MEAN",
        "RELU",
        "RESHAPE",
    }
)
"""The ops that the firmware's engines carry; every other op would be a surprise on the board."""

_OP_NAMES = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}
_TYPE_NAMES = {code: name for name, code in vars(schema.TensorType).items() if isinstance(code, int)}
_FILE_IDENTIFIER = b"TFL3"
_WEIGHTED = ("CONV_2D", "FULLY_CONNECTED")
_ITEM_BYTES = {schema.TensorType.INT8: 1, schema.TensorType.INT32: 4}
_ACTIVATION_LIMIT = 1 << 18
"""The board's whole RAM; a tensor that says it is larger comes from a damaged file, or has no business here."""
_NEXT_STEP = "convert the run again with `hardwear convert`"


@dataclass(frozen=True)
class QuantizedTensor:
    """The input or an output of the model: real value = scale * (int8 - zero_point)."""

    scale: float
    """Exactly the float32 in the file."""
    zero_point: int
    shape: tuple[int, ...]
    type: str


@dataclass(frozen=True)
class TfliteSummary:
    """What the rest of Hardwear needs to know about a .tflite file.

    Attributes:
        input: The window, int8 (1, 128, 6).
        outputs: In the file's order: logits (1, 6), then embedding (1, E).
        ops: Op names in the order of execution.
        weight_bytes: Bytes of all weights (int8).
        bias_bytes: Bytes of all biases (int32).
        macs: Multiply-accumulates of one inference.
        activation_bytes: The most int8 activations that are alive at once while one op runs.
    """

    input: QuantizedTensor
    outputs: tuple[QuantizedTensor, ...]
    ops: tuple[str, ...]
    weight_bytes: int
    bias_bytes: int
    macs: int
    activation_bytes: int


def parse(model: bytes) -> Any:
    """The flatbuffer as the schema's `ModelT`.

    Raises:
        ConversionError: Not a .tflite file, or cut short.
    """
    if len(model) < 8 or model[4:8] != _FILE_IDENTIFIER:
        raise ConversionError(
            f"expected a .tflite file (identifier {_FILE_IDENTIFIER.decode()}), got {len(model)} bytes "
            f"starting {model[:8].hex()}; {_NEXT_STEP}"
        )
    try:
        parsed = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(model, 0))
    except Exception as error:  # the generated reader raises whatever the bad offset leads to
        raise ConversionError(f"expected a whole .tflite file, got a damaged one: {error}; {_NEXT_STEP}") from error
    if not parsed.subgraphs or not parsed.operatorCodes:
        raise ConversionError(f"expected a .tflite file with one graph, got an empty one; {_NEXT_STEP}")
    return parsed


def summarize(model: bytes) -> TfliteSummary:
    """Read a .tflite file and hold it to what the board can run.

    Args:
        model: The file's bytes.

    Returns:
        The summary.

    Raises:
        ConversionError: Damaged, or not the int8 model that the firmware expects: an op that it does not carry, a
            tensor that is not int8 (int32 for biases), dense weights quantised per channel, other inputs or outputs.
    """
    parsed = parse(model)
    if len(parsed.subgraphs) != 1:
        raise ConversionError(f"expected a .tflite file with one graph, got {len(parsed.subgraphs)}")
    try:
        return _summarize(parsed, parsed.subgraphs[0])
    except (IndexError, KeyError, TypeError, AttributeError, UnicodeDecodeError) as error:
        raise ConversionError(f"expected a whole .tflite file, got a damaged one: {error!r}; {_NEXT_STEP}") from error


def _summarize(parsed: Any, graph: Any) -> TfliteSummary:
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in parsed.operatorCodes]
    ops = tuple(_OP_NAMES.get(codes[operator.opcodeIndex], "?") for operator in graph.operators)
    for position, (op, operator) in enumerate(zip(ops, graph.operators, strict=True)):
        _check_op(position, op, operator, graph.tensors)
    for tensor in graph.tensors:
        _check_size(tensor, parsed.buffers)
    inputs = tuple(_quantized(graph.tensors[index]) for index in graph.inputs)
    outputs = tuple(_quantized(graph.tensors[index]) for index in graph.outputs)
    _check_interface(inputs, outputs)
    weighted = [operator for op, operator in zip(ops, graph.operators, strict=True) if op in _WEIGHTED]
    return TfliteSummary(
        input=inputs[0],
        outputs=outputs,
        ops=ops,
        weight_bytes=_constant_bytes(parsed, {int(operator.inputs[1]) for operator in weighted}),
        bias_bytes=_constant_bytes(parsed, {int(i) for operator in weighted for i in operator.inputs[2:3] if i >= 0}),
        macs=sum(_macs(operator, graph.tensors) for operator in weighted),
        activation_bytes=_activation_peak(graph, parsed.buffers),
    )


def _size_of(data: Any) -> int:
    return 0 if data is None else len(data)


def _constant_bytes(parsed: Any, indices: set[int]) -> int:
    tensors = parsed.subgraphs[0].tensors
    return sum(_size_of(parsed.buffers[tensors[index].buffer].data) for index in indices)


def _shape(tensor: Any) -> tuple[int, ...]:
    return () if tensor.shape is None else tuple(int(size) for size in tensor.shape)


def _scales(tensor: Any) -> list[float]:
    quantization = tensor.quantization
    return [] if quantization is None or quantization.scale is None else [float(s) for s in quantization.scale]


def _quantized(tensor: Any) -> QuantizedTensor:
    scales = _scales(tensor)
    if len(scales) != 1:
        raise ConversionError(
            f"tensor {tensor.name.decode()}: expected one scale and zero point, got {len(scales)} scales; "
            "the model is not fully quantised to int8"
        )
    return QuantizedTensor(scales[0], int(tensor.quantization.zeroPoint[0]), _shape(tensor), _TYPE_NAMES[tensor.type])


def _check_op(position: int, op: str, operator: Any, tensors: list[Any]) -> None:
    where = f"op {position} ({op})"
    if op not in ALLOWED_OPS:
        raise ConversionError(f"{where}: the firmware carries only {', '.join(sorted(ALLOWED_OPS))}")
    weighted = op in _WEIGHTED
    # The second input of RESHAPE and MEAN is a shape or an axis, never data.
    data = [operator.inputs[0], *operator.outputs, *(operator.inputs[1:2] if weighted else [])]
    wrong = [_TYPE_NAMES[tensors[i].type] for i in data if tensors[i].type != schema.TensorType.INT8]
    if weighted and len(operator.inputs) > 2 and tensors[operator.inputs[2]].type != schema.TensorType.INT32:
        wrong.append(_TYPE_NAMES[tensors[operator.inputs[2]].type])
    if wrong:
        raise ConversionError(f"{where}: expected int8 tensors and int32 biases, got {', '.join(wrong)}")
    if weighted:
        weights = tensors[operator.inputs[1]]
        source, target = _shape(tensors[operator.inputs[0]]), _shape(tensors[operator.outputs[0]])
        if (_shape(weights)[-1], _shape(weights)[0]) != (source[-1], target[-1]):
            raise ConversionError(
                f"{where}: weights of shape {_shape(weights)} do not lead from {source} to {target}; {_NEXT_STEP}"
            )
        channels, scales = _shape(weights)[0], len(_scales(weights))
        # Older TFLite-Micro, the Arduino library's among them, silently miscomputes dense layers with more scales.
        if scales != (channels if op == "CONV_2D" else 1):
            raise ConversionError(
                f"{where}: expected {'one weight scale per channel' if op == 'CONV_2D' else 'one weight scale'}, "
                f"got {scales} for {channels} channels"
            )


def _check_interface(inputs: tuple[QuantizedTensor, ...], outputs: tuple[QuantizedTensor, ...]) -> None:
    window, logits = (1, WINDOW_SAMPLES, CHANNEL_COUNT), (1, CLASS_COUNT)
    shapes = [tensor.shape for tensor in (*inputs, *outputs)]
    types = {tensor.type for tensor in (*inputs, *outputs)}
    is_ours = len(inputs) == 1 and len(outputs) == 2 and shapes[:2] == [window, logits] and len(shapes[2]) == 2
    if not is_ours or types != {"INT8"}:
        raise ConversionError(
            f"expected int8 input {window} and int8 outputs logits {logits} and embedding (1, E), got "
            f"inputs {[(t.type, t.shape) for t in inputs]} and outputs {[(t.type, t.shape) for t in outputs]}"
        )


def _check_size(tensor: Any, buffers: list[Any]) -> None:
    """TFLite-Micro believes the shapes and reads on past the end of a buffer that is too short."""
    shape, stored = _shape(tensor), _size_of(buffers[tensor.buffer].data)
    expected = prod(shape) * _ITEM_BYTES.get(tensor.type, 0)
    too_large = stored == 0 and expected > _ACTIVATION_LIMIT
    if min(shape, default=1) < 1 or too_large or stored not in (0, expected):
        raise ConversionError(
            f"tensor {tensor.name.decode()}: a shape of {shape} and {stored} stored bytes contradict each other; "
            f"the .tflite file is damaged: {_NEXT_STEP}"
        )


def _macs(operator: Any, tensors: list[Any]) -> int:
    weights = _shape(tensors[operator.inputs[1]])
    positions = prod(_shape(tensors[operator.outputs[0]])) // weights[0]
    return prod(weights) * positions


def _activation_peak(graph: Any, buffers: list[Any]) -> int:
    """Bytes alive while the worst op runs; a RESHAPE is counted like any op, as TFLite-Micro plans it."""
    last_use = {int(index): len(graph.operators) for index in graph.outputs}
    for position, operator in enumerate(graph.operators):
        for index in operator.inputs:
            last_use[int(index)] = max(position, last_use.get(int(index), 0))
    sizes = [0 if _size_of(buffers[t.buffer].data) else prod(_shape(t)) for t in graph.tensors]
    alive, peak = {int(index) for index in graph.inputs}, 0
    for position, operator in enumerate(graph.operators):
        alive |= {int(index) for index in operator.outputs}
        peak = max(peak, sum(sizes[index] for index in alive))
        alive = {index for index in alive if last_use.get(index, -1) > position}
    return peak
