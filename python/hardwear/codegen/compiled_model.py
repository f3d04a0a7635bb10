"""The generated network of the compiled engine: its constants and the sequence of kernel calls."""

from dataclasses import dataclass

import numpy as np

from hardwear.codegen.graph import (
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
from hardwear.codegen.plan import MemoryPlan, Place, plan_memory
from hardwear.codegen.templating import braced, environment
from hardwear.contract import CHANNEL_COUNT, CLASS_COUNT, WINDOW_SAMPLES

_KERNELS: dict[type[Layer], str] = {
    Conv1D: "conv1d",
    FullyConnected: "fully_connected",
    MaxPool: "max_pool",
    AveragePool: "average_pool",
    Mean: "mean",
    Activation: "map_values",
}


@dataclass(frozen=True)
class Step:
    """One call of a kernel, as the template writes it."""

    layer: Layer
    source: str
    """C++ expression of the input's address."""
    target: str
    """C++ expression of the output's address."""

    @property
    def kernel(self) -> str:
        """The function of `firmware/engines/compiled/kernels.h`."""
        return _KERNELS[type(self.layer)]

    @property
    def symbol(self) -> str:
        """Name of the layer's constant: `conv_2` is `kConv2`."""
        return "k" + "".join(part.capitalize() for part in self.layer.name.split("_"))

    @property
    def shapes(self) -> str:
        """Shapes of input and output: `128 x 6 -> 128 x 16`."""
        return f"{_shape(self.layer.input)} -> {_shape(self.layer.output)}"

    @property
    def comment(self) -> str:
        """What the layer does, and how much work it is."""
        layer = self.layer
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
        text += "" if clamp == Clamp() else ", ReLU" if clamp.high == Clamp().high else ", ReLU6"
        return text + (f", {layer.macs:,} MACs" if layer.macs else "")

    @property
    def folded_bias(self) -> list[int]:
        """The bias less input zero point * sum of the output's weights, so that kernels multiply raw int8 inputs."""
        layer = self.layer
        if not isinstance(layer, Conv1D | FullyConnected):
            raise TypeError(f"{layer.name} has no bias")
        sums = layer.weights.reshape(len(layer.weights), -1).astype(np.int64).sum(axis=1)
        folded: list[int] = (layer.bias - layer.input.zero_point * sums).tolist()
        return folded

    @property
    def multipliers(self) -> list[str]:
        """C++ initialisers of a convolution's multipliers."""
        layer = self.layer
        if not isinstance(layer, Conv1D):
            raise TypeError(f"{layer.name} has no multiplier per channel")
        return [braced((multiplier.mantissa, multiplier.shift)) for multiplier in layer.multipliers]


def steps(graph: Graph, plan: MemoryPlan) -> list[Step]:
    """The kernel calls of one inference, in order; views need none."""
    return [
        Step(layer, _address(plan, layer.input), _address(plan, layer.output))
        for layer in graph.layers
        if not isinstance(layer, Reshape)
    ]


def render(graph: Graph, banner: str, identity: str) -> str:
    """The text of `compiled_model.h`.

    Args:
        graph: The network.
        banner: C++ comment that names what made the file.
        identity: SHA-256 of the bundle's manifest, hex.

    Raises:
        ConversionError: The network's memory can't be planned.
    """
    plan = plan_memory(graph)
    template = environment().get_template("compiled_model.h.j2")
    return template.render(
        banner=banner,
        identity=identity,
        graph=graph,
        steps=steps(graph, plan),
        arena_bytes=plan.arena_bytes,
        window_samples=WINDOW_SAMPLES,
        channel_count=CHANNEL_COUNT,
        class_count=CLASS_COUNT,
    )


def _shape(tensor: Tensor) -> str:
    return f"{tensor.positions} x {tensor.channels}"


def _address(plan: MemoryPlan, tensor: Tensor) -> str:
    buffer = plan.of(tensor)
    return f"arena + {buffer.offset}" if buffer.place is Place.ARENA and buffer.offset else buffer.place.value
