"""The generated network of the compiled engine: its constants and the sequence of kernel calls."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hardwear.codegen.convolutions import DirectConv, PlanesConv, ToomCookConv
from hardwear.codegen.filling import fill_arena
from hardwear.codegen.fusion import fuse
from hardwear.codegen.graph import (
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
)
from hardwear.codegen.kernels import Pack, Plain, Preference, Step, Unpack, choose_kernels
from hardwear.codegen.layout import Layout, Planes
from hardwear.codegen.plan import Buffer, MemoryPlan, Place, plan_memory
from hardwear.codegen.stack import stack_bytes
from hardwear.codegen.streaming import Stream, plan_stream
from hardwear.codegen.sums import folded_bias
from hardwear.codegen.templating import braced, environment
from hardwear.contract import CHANNEL_COUNT, CLASS_COUNT, HOP_SAMPLES, WINDOW_SAMPLES

_PLAIN_KERNELS: dict[type[Layer], str] = {
    Conv1D: "conv1d",
    FullyConnected: "fully_connected",
    MaxPool: "max_pool",
    AveragePool: "average_pool",
    Mean: "mean",
    Activation: "map_values",
}


@dataclass(frozen=True)
class Program:
    """A network, compiled: what is called in which order, where activations lie, what the next window takes over."""

    graph: Graph
    steps: tuple[Step, ...]
    memory: MemoryPlan
    stream: Stream


def compile_graph(graph: Graph, prefer: Preference = Preference.SPEED) -> Program:
    """All passes, one after the other.

    Args:
        graph: The network.
        prefer: What to spare where a choice is free.

    Raises:
        ConversionError: The network's memory can't be planned.
    """
    steps = choose_kernels(graph, fuse(graph), prefer)
    if prefer is Preference.RAM:
        steps = fill_arena(graph, steps)
    return Program(graph, steps, plan_memory(graph, steps), plan_stream(steps))


@dataclass(frozen=True)
class Call:
    """One call of a kernel, as the template writes it."""

    step: Step
    source: str
    """C++ expression of the input's address."""
    target: str
    """C++ expression of the output's address."""
    scratch: str | None
    """C++ expression of the address of further memory, where it needs any."""

    @property
    def kind(self) -> str:
        """Which part of the template writes it: the name of the kernel."""
        step = self.step
        return _PLAIN_KERNELS[type(step.layer)] if isinstance(step, Plain) else step.kernel

    @property
    def layer(self) -> Layer:
        """The only layer of a plain step or of an average over planes."""
        (layer,) = self.step.layers
        return layer

    @property
    def symbol(self) -> str:
        """Name of the step's constants: `conv_2` is `kConv2`."""
        return "k" + self.type_name

    @property
    def type_name(self) -> str:
        """Name of the step's type: `conv_2` is `Conv2`."""
        return "".join(part.capitalize() for part in self.step.name.split("_"))

    @property
    def view(self) -> str:
        """The output as an observer sees it."""
        target = self.step.target
        if isinstance(target, Planes):
            return f"kernels::PlanesView<{target.cpp}>{{{self.target}}}"
        return f"kernels::RowsView{{{self.target}, {target.size}}}"

    @property
    def shapes(self) -> str:
        """Shapes and layouts of input and output."""
        return f"{_shape(self.step.source)} -> {_shape(self.step.target)}"

    @property
    def comment(self) -> str:
        """What the step does, and how much work it is."""
        if isinstance(self.step, Pack | Unpack):
            return "the same values in another layout"
        macs = sum(layer.macs for layer in self.step.layers)
        text = describe(self.step.layers)
        return text + (f"; {macs:,} MACs" if macs else "")

    @property
    def folded_bias(self) -> list[int]:
        """The bias less input zero point * sum of the output's weights, so that kernels multiply raw int8 inputs."""
        layer = self.layer
        if not isinstance(layer, Conv1D | FullyConnected):
            raise TypeError(f"{layer.name} has no bias")
        folded: list[int] = folded_bias(layer).tolist()
        return folded

    @property
    def plain_weights(self) -> list[int]:
        """The weights of a plain kernel, in the order in which it reads them."""
        layer = self.layer
        match layer:
            case Conv1D():
                return layer.weights.ravel().tolist()
            case FullyConnected():
                return _by_fours(layer.weights)
            case _:
                raise TypeError(f"{layer.name} has no weights")

    @property
    def multipliers(self) -> list[str]:
        """C++ initialisers of a plain convolution's multipliers."""
        layer = self.layer
        if not isinstance(layer, Conv1D):
            raise TypeError(f"{layer.name} has no multiplier per channel")
        return [braced((multiplier.mantissa, multiplier.shift)) for multiplier in layer.multipliers]

    @property
    def stored_table(self) -> list[int]:
        """The table of a convolution over planes, for bytes as they are stored."""
        if not isinstance(self.step, PlanesConv) or self.step.fused.table is None:
            raise TypeError(f"{self.step.name} has no table")
        return [value - INT8_MIN for value in self.step.fused.table]

    @property
    def channels(self) -> list[str]:
        """C++ initialisers of the output channels of a convolution over planes."""
        step, fused_table = self.step, f"{self.symbol}Table"
        match step:
            case DirectConv():
                return [
                    braced((bias, rescale.multiplier, rescale.half, rescale.shift))
                    for bias, rescale in zip(step.biases, step.rescales, strict=True)
                ]
            case ToomCookConv(filter=used):
                table = "nullptr" if step.fused.table is None else fused_table
                rows = [
                    (used.inverse, first, third, last, table, r.multiplier, 4 * r.half + 2, r.shift + 2)
                    for (first, _, third, last), r in zip(step.biases.tolist(), step.rescales, strict=True)
                ]
                # Output channels come in pairs; what a missing one computes is stored where no weight reads it.
                return [braced(row) for row in rows + rows[-1:] * (len(rows) % 2)]
            case _:
                raise TypeError(f"{step.name} does not run over planes")


def _by_fours(weights: npt.NDArray[np.int8]) -> list[int]:
    """Weights (outputs, inputs), groups of four inputs of every four outputs together; what is left in its order."""
    outputs, inputs = (size // 4 * 4 for size in weights.shape)
    ordered: list[int] = []
    for four in weights[:outputs].reshape(-1, 4, weights.shape[1]):
        ordered += four[:, :inputs].reshape(4, -1, 4).swapaxes(0, 1).ravel().tolist()
        ordered += four[:, inputs:].ravel().tolist()
    return ordered + weights[outputs:].ravel().tolist()


def calls(program: Program) -> list[Call]:
    """The kernel calls of one inference, in order."""
    memory = program.memory
    return [
        Call(step, _address(memory.of(step.source)), _address(memory.of(step.target)), _scratch(memory, step))
        for step in program.steps
    ]


def render(program: Program, banner: str, identity: str) -> str:
    """The text of `compiled_model.h`.

    Args:
        program: The compiled network.
        banner: C++ comment that names what made the file.
        identity: SHA-256 of the bundle's manifest, hex.
    """
    template = environment().get_template("compiled_model.h.j2")
    return template.render(
        banner=banner,
        identity=identity,
        graph=program.graph,
        calls=calls(program),
        stream=program.stream,
        arena_bytes=program.memory.arena_bytes,
        stack_bytes=stack_bytes(program.steps),
        window_samples=WINDOW_SAMPLES,
        hop_samples=HOP_SAMPLES,
        channel_count=CHANNEL_COUNT,
        class_count=CLASS_COUNT,
    )


def describe(layers: Sequence[Layer]) -> str:
    """Layers that one step computes, in words."""
    return ", then ".join(_describe(layer) for layer in layers)


def _describe(layer: Layer) -> str:
    match layer:
        case Conv1D():
            padding = f", padded by {layer.pad_left} before" if layer.pad_left else ""
            text = f"convolution of {layer.taps} taps, stride {layer.stride}{padding}"
        case FullyConnected():
            text = "fully connected"
        case MaxPool() | AveragePool():
            kind = "maximum" if isinstance(layer, MaxPool) else "mean"
            text = f"{kind} of {layer.width} positions, stride {layer.stride}"
        case Mean():
            text = "mean over all positions"
        case Activation():
            text = f"leaky ReLU, slope {layer.alpha:.6g}" if layer.alpha else "ReLU"
        case Reshape():
            text = "view"
    clamp = getattr(layer, "clamp", Clamp())
    return text + ("" if clamp == Clamp() else ", ReLU" if clamp.high == Clamp().high else ", ReLU6")


def _shape(layout: Layout) -> str:
    return f"{layout.tensor.positions} x {layout.tensor.channels}{' in planes' if isinstance(layout, Planes) else ''}"


def _address(buffer: Buffer) -> str:
    return f"arena + {buffer.offset}" if buffer.place is Place.ARENA and buffer.offset else buffer.place.value


def _scratch(memory: MemoryPlan, step: Step) -> str | None:
    buffer = memory.scratch.get(step)
    return None if buffer is None else _address(buffer)
