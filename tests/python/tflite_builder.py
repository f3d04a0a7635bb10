"""Writes small int8 `.tflite` models straight into the flatbuffer, without TensorFlow, for the tests of the engines.

Weights are random, scales come from running random windows through the layers in float, so that answers spread over
int8 and some saturate.
"""

from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

Floats = npt.NDArray[np.float64]
OPS, OPTIONS = schema.BuiltinOperator, schema.BuiltinOptions


class AlignedBuffer(schema.BufferT):  # type: ignore[misc]
    """Python's writer ignores the schema's force_align of a buffer's data."""

    def Pack(self, builder: Any) -> Any:  # noqa: N802 (the schema's name)
        raw = b"" if self.data is None else bytes(self.data)
        offset = None
        if raw:
            builder.StartVector(1, len(raw), 16)
            builder.head -= len(raw)
            builder.Bytes[builder.head : builder.head + len(raw)] = raw
            offset = builder.EndVector()
        schema.BufferStart(builder)
        if offset is not None:
            schema.BufferAddData(builder, offset)
        return schema.BufferEnd(builder)


class ModelBuilder:
    """Adds one layer after the other; each works on the output of the one before."""

    def __init__(self, seed: int = 0, window: tuple[int, int] = (128, 6)) -> None:
        self.random = np.random.default_rng(seed)
        self.model = schema.ModelT()
        self.model.version = 3
        self.model.buffers = [AlignedBuffer()]
        self.model.operatorCodes = []
        self.graph = schema.SubGraphT()
        self.graph.name = "main"
        self.graph.tensors, self.graph.operators = [], []
        self.model.subgraphs = [self.graph]
        self.values: Floats = np.cumsum(self.random.normal(0, 0.3, (24, *window)), axis=1)
        self.current = self.activation("window", (1, *window))
        self.graph.inputs = np.array([self.current], np.int32)
        self.embedding = self.current
        self.reshape(1, 1, *window)

    # Layers

    def conv(
        self, outputs: int, taps: int, relu: bool = False, stride: int = 1, same: bool = True, relu6: bool = False
    ) -> "ModelBuilder":
        """With `relu6` the output's scale reaches beyond 6, so that the limit is another than int8's own."""
        inputs = self.values.shape[-1]
        weights = self.random.normal(0, 1.0, (outputs, 1, taps, inputs)) * self.random.uniform(
            0.2, 2, (outputs, 1, 1, 1)
        )
        bias = self.random.normal(0, 0.5, outputs)
        options = schema.Conv2DOptionsT()
        options.padding = schema.Padding.SAME if same else schema.Padding.VALID
        options.strideW, options.strideH = stride, 1
        options.dilationWFactor = options.dilationHFactor = 1
        relu = relu or relu6
        options.fusedActivationFunction = self._fused(relu)
        if relu6:
            options.fusedActivationFunction = int(schema.ActivationFunctionType.RELU6)
        positions = self.values.shape[2]
        out = -(-positions // stride) if same else (positions - taps) // stride + 1
        total = max((out - 1) * stride + taps - positions, 0) if same else 0
        padded = np.pad(self.values[:, 0], ((0, 0), (total // 2, total - total // 2), (0, 0)))
        columns = np.stack([padded[:, p * stride : p * stride + taps] for p in range(out)], axis=1)
        values = np.einsum("npki,oki->npo", columns, weights[:, 0]) + bias
        return self._weighted(OPS.CONV_2D, OPTIONS.Conv2DOptions, options, weights, bias, values[:, None], relu, True)

    def dense(self, outputs: int, relu: bool = False, per_channel: bool = False) -> "ModelBuilder":
        weights = self.random.normal(0, 1.0, (outputs, self.values.shape[-1]))
        bias = self.random.normal(0, 0.5, outputs)
        options = schema.FullyConnectedOptionsT()
        options.fusedActivationFunction = self._fused(relu)
        values = self.values @ weights.T + bias
        return self._weighted(
            OPS.FULLY_CONNECTED, OPTIONS.FullyConnectedOptions, options, weights, bias, values, relu, per_channel
        )

    def leaky_relu(self, alpha: float) -> "ModelBuilder":
        options = schema.LeakyReluOptionsT()
        options.alpha = alpha
        return self._next(
            OPS.LEAKY_RELU,
            OPTIONS.LeakyReluOptions,
            options,
            np.where(self.values > 0, self.values, alpha * self.values),
        )

    def relu(self) -> "ModelBuilder":
        return self._next(OPS.RELU, OPTIONS.NONE, None, np.maximum(self.values, 0))

    def max_pool(self, width: int, stride: int | None = None, relu: bool = False) -> "ModelBuilder":
        return self._pool(OPS.MAX_POOL_2D, width, stride or width, relu, np.max)

    def average_pool(self, width: int, stride: int | None = None, relu: bool = False) -> "ModelBuilder":
        return self._pool(OPS.AVERAGE_POOL_2D, width, stride or width, relu, np.mean)

    def mean(self, *axes: int) -> "ModelBuilder":
        axis = self.tensor("axes", (len(axes),), schema.TensorType.INT32, np.array(axes, np.int32))
        options = schema.ReducerOptionsT()
        options.keepDims = False
        return self._next(OPS.MEAN, OPTIONS.ReducerOptions, options, self.values.mean(axis=axes), extra_inputs=[axis])

    def flatten(self) -> "ModelBuilder":
        return self.reshape(1, int(np.prod(self.values.shape[1:])))

    def reshape(self, *shape: int) -> "ModelBuilder":
        new_shape = self.tensor("shape", (len(shape),), schema.TensorType.INT32, np.array(shape, np.int32))
        options = schema.ReshapeOptionsT()
        options.newShape = np.array(shape, np.int32)
        values = self.values.reshape(len(self.values), *shape[1:])
        return self._next(
            OPS.RESHAPE, OPTIONS.ReshapeOptions, options, values, extra_inputs=[new_shape], keep_scale=True
        )

    def mark_embedding(self) -> "ModelBuilder":
        self.embedding = self.current
        return self

    def finish(self) -> bytes:
        """The model; its outputs are the last layer's and the one marked as embedding."""
        self.graph.outputs = np.array([self.current, self.embedding], np.int32)
        builder = flatbuffers.Builder(1 << 16)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    # The flatbuffer

    def tensor(self, name: str, shape: tuple[int, ...], kind: int, data: npt.NDArray[Any] | None = None) -> int:
        tensor = schema.TensorT()
        tensor.name, tensor.type, tensor.buffer = f"{name}_{len(self.graph.tensors)}", kind, 0
        tensor.shape = np.array(shape, np.int32)
        if data is not None:
            buffer = AlignedBuffer()
            buffer.data = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
            self.model.buffers.append(buffer)
            tensor.buffer = len(self.model.buffers) - 1
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def quantize(self, index: int, scale: npt.ArrayLike, zero_point: int = 0) -> None:
        quantization = schema.QuantizationParametersT()
        quantization.scale = np.atleast_1d(np.asarray(scale, np.float32))
        quantization.zeroPoint = np.full(len(quantization.scale), zero_point, np.int64)
        quantization.quantizedDimension = 0
        self.graph.tensors[index].quantization = quantization

    def scale_of(self, index: int) -> npt.NDArray[np.float32]:
        return np.asarray(self.graph.tensors[index].quantization.scale, np.float32)

    def activation(self, name: str, shape: tuple[int, ...]) -> int:
        """An int8 tensor whose scale covers all but the outermost of `values`."""
        index = self.tensor(name, shape, schema.TensorType.INT8)
        low, high = (float(bound) for bound in np.quantile(self.values, [0.002, 0.998]))
        low, high = min(low, 0.0), max(high, 1e-3)
        scale = np.float32((high - low) / 255)
        self.quantize(index, scale, int(np.clip(np.rint(-128 - low / scale), -128, 127)))
        return index

    @staticmethod
    def _fused(relu: bool) -> int:
        kinds = schema.ActivationFunctionType
        return int(kinds.RELU if relu else kinds.NONE)

    def _weighted(
        self, code: int, option_type: int, options: Any, weights: Floats, bias: Floats, values: Floats,
        relu: bool, per_channel: bool,
    ) -> "ModelBuilder":  # fmt: skip
        largest = np.abs(weights).reshape(len(weights), -1).max(axis=1)
        scales = (largest if per_channel else largest.max(keepdims=True)).astype(np.float32) / np.float32(127)
        spread = scales.reshape(-1, *[1] * (weights.ndim - 1))
        quantized = np.clip(np.rint(weights / spread), -127, 127).astype(np.int8)
        weight_tensor = self.tensor("weights", weights.shape, schema.TensorType.INT8, quantized)
        self.quantize(weight_tensor, scales)
        bias_scales = self.scale_of(self.current)[0] * scales
        bias_values = np.rint(bias / bias_scales).astype(np.int32)
        bias_tensor = self.tensor("bias", bias.shape, schema.TensorType.INT32, bias_values)
        self.quantize(bias_tensor, bias_scales)
        return self._next(
            code, option_type, options, np.maximum(values, 0) if relu else values, [weight_tensor, bias_tensor]
        )

    def _pool(self, code: int, width: int, stride: int, relu: bool, pool: Any) -> "ModelBuilder":
        options = schema.Pool2DOptionsT()
        options.padding = schema.Padding.VALID
        options.filterWidth, options.strideW = width, stride
        options.filterHeight = options.strideH = 1
        options.fusedActivationFunction = self._fused(relu)
        out = (self.values.shape[2] - width) // stride + 1
        pooled = np.stack(
            [pool(self.values[:, 0, p * stride : p * stride + width], axis=1) for p in range(out)], axis=1
        )
        return self._next(code, OPTIONS.Pool2DOptions, options, pooled[:, None], keep_scale=True)

    def _next(
        self, code: int, option_type: int, options: Any, values: Floats, extra_inputs: list[int] | None = None,
        keep_scale: bool = False,
    ) -> "ModelBuilder":  # fmt: skip
        self.values = values
        index = self.activation("activation", (1, *values.shape[1:]))
        if keep_scale:
            self.graph.tensors[index].quantization = self.graph.tensors[self.current].quantization
        operator = schema.OperatorT()
        operator.opcodeIndex = self._opcode(code)
        operator.inputs = np.array([self.current, *(extra_inputs or [])], np.int32)
        operator.outputs = np.array([index], np.int32)
        operator.builtinOptions, operator.builtinOptionsType = options, option_type
        self.graph.operators.append(operator)
        self.current = index
        return self

    def _opcode(self, code: int) -> int:
        for index, known in enumerate(self.model.operatorCodes):
            if known.builtinCode == code:
                return index
        made = schema.OperatorCodeT()
        made.builtinCode, made.deprecatedBuiltinCode, made.version = code, min(code, 127), 1
        self.model.operatorCodes.append(made)
        return len(self.model.operatorCodes) - 1
