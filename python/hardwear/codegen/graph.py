"""The typed layer graph of an int8 model: what the code generator works on.

Activations are int8, sample-major: `positions` rows of `channels` values. Every layer carries the integers that
it computes with, so nothing downstream needs a float. `reader.py` makes a graph from a `.tflite`.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from hardwear.codegen.fixed_point import Multiplier

INT8_MIN, INT8_MAX = -128, 127


@dataclass(frozen=True)
class Tensor:
    """One activation: real value = scale * (q - zero point)."""

    index: int
    """Its number in the `.tflite`."""
    name: str
    positions: int
    channels: int
    scale: float
    zero_point: int

    @property
    def size(self) -> int:
        """Elements, which are bytes."""
        return self.positions * self.channels


@dataclass(frozen=True)
class Clamp:
    """The range an output is limited to: all of int8; from the zero point up where ReLU is fused, up to 6 for ReLU6."""

    low: int = INT8_MIN
    high: int = INT8_MAX


@dataclass(frozen=True, eq=False)
class Conv1D:
    """Convolution over time; outside the input it reads the input's zero point."""

    op: ClassVar[str] = "CONV_2D"
    name: str
    input: Tensor
    output: Tensor
    stride: int
    pad_left: int
    """Positions that the first kernel hangs over the start."""
    weights: npt.NDArray[np.int8]
    """(output channels, taps, input channels), zero point 0."""
    bias: npt.NDArray[np.int32]
    """(output channels,), in units of input scale * weight scale."""
    multipliers: tuple[Multiplier, ...]
    """One per output channel."""
    clamp: Clamp

    @property
    def taps(self) -> int:
        """Length of the kernel."""
        return int(self.weights.shape[1])

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one inference, padding included."""
        return self.output.positions * int(self.weights.size)


@dataclass(frozen=True, eq=False)
class FullyConnected:
    """All inputs, flattened, to every output; one multiplier for all outputs."""

    op: ClassVar[str] = "FULLY_CONNECTED"
    name: str
    input: Tensor
    output: Tensor
    weights: npt.NDArray[np.int8]
    """(outputs, inputs), zero point 0."""
    bias: npt.NDArray[np.int32]
    """(outputs,), in units of input scale * weight scale."""
    multiplier: Multiplier
    clamp: Clamp

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one inference."""
        return int(self.weights.size)


@dataclass(frozen=True)
class MaxPool:
    """The largest of `width` positions, every `stride` positions, no padding; scales stay."""

    op: ClassVar[str] = "MAX_POOL_2D"
    name: str
    input: Tensor
    output: Tensor
    width: int
    stride: int
    clamp: Clamp
    macs: ClassVar[int] = 0


@dataclass(frozen=True)
class AveragePool:
    """The mean of `width` positions, every `stride`, rounded half away from zero, no padding; scales stay."""

    op: ClassVar[str] = "AVERAGE_POOL_2D"
    name: str
    input: Tensor
    output: Tensor
    width: int
    stride: int
    clamp: Clamp
    macs: ClassVar[int] = 0


@dataclass(frozen=True)
class Mean:
    """The mean over all positions, rescaled: 1/positions is folded into the multiplier."""

    op: ClassVar[str] = "MEAN"
    name: str
    input: Tensor
    output: Tensor
    multiplier: Multiplier
    macs: ClassVar[int] = 0


@dataclass(frozen=True)
class Activation:
    """ReLU or LeakyReLU as a layer of its own: a map of int8 to int8, kept as its 256 values."""

    op: str
    name: str
    input: Tensor
    output: Tensor
    alpha: float
    """Slope below zero; 0 is ReLU."""
    table: tuple[int, ...]
    """Output for input -128, -127 … 127."""
    macs: ClassVar[int] = 0


@dataclass(frozen=True)
class Reshape:
    """Another view of the same bytes; computes nothing."""

    op: ClassVar[str] = "RESHAPE"
    name: str
    input: Tensor
    output: Tensor
    macs: ClassVar[int] = 0


Layer = Conv1D | FullyConnected | MaxPool | AveragePool | Mean | Activation | Reshape


@dataclass(frozen=True, eq=False)
class Graph:
    """A chain of layers from one window to two outputs."""

    window: Tensor
    layers: tuple[Layer, ...]
    """In the order of execution; each reads what the one before wrote."""
    logits: Tensor
    embedding: Tensor
    outputs: tuple[int, int]
    """Positions of the logits and of the embedding in the model's list of outputs."""

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one inference."""
        return sum(layer.macs for layer in self.layers)

    @property
    def ops(self) -> tuple[str, ...]:
        """The distinct TFLite operators, in order of first use."""
        return tuple(dict.fromkeys(layer.op for layer in self.layers))

    @property
    def parameter_bytes(self) -> int:
        """Bytes of weights (int8) and biases (int32)."""
        return sum(
            layer.weights.nbytes + layer.bias.nbytes
            for layer in self.layers
            if isinstance(layer, Conv1D | FullyConnected)
        )
