"""The generated model for TFLite-Micro's interpreter: flatbuffer, list of operators, size of the arena."""

from hardwear.codegen.graph import Conv1D, Graph
from hardwear.codegen.templating import environment

RESOLVER_NAMES = {
    "AVERAGE_POOL_2D": "AveragePool2D",
    "CONV_2D": "Conv2D",
    "FULLY_CONNECTED": "FullyConnected",
    "LEAKY_RELU": "LeakyRelu",
    "MAX_POOL_2D": "MaxPool2D",
    "MEAN": "Mean",
    "RELU": "Relu",
    "RESHAPE": "Reshape",
}
"""The part after `Add` of each operator's method in TFLite-Micro's MicroMutableOpResolver."""

_SPARE_BYTES = 1024
_STEP_BYTES = 512


def tensor_arena_bytes(graph: Graph, measured: int) -> int:
    """Bytes to reserve for TFLite-Micro's arena on the chip.

    CMSIS-NN widens the inputs of two output positions of a convolution to int16 and sums a pool in int32; the
    reference kernels that `measured` was taken with need neither.

    Args:
        graph: The network.
        measured: Bytes that the reference kernels used on a 64-bit machine.
    """
    columns = [layer.taps * (layer.input.channels + 3) for layer in graph.layers if isinstance(layer, Conv1D)]
    sums = [layer.input.channels for layer in graph.layers]
    scratch = 4 * max(columns + sums)
    return -(-(measured + scratch + _SPARE_BYTES) // _STEP_BYTES) * _STEP_BYTES


def render(model: bytes, graph: Graph, measured_arena: int, banner: str, identity: str) -> str:
    """The text of `model_data.h`.

    Args:
        model: The `.tflite` flatbuffer.
        graph: The same, read.
        measured_arena: Bytes of arena that the bundle's manifest states.
        banner: C++ comment that names what made the file.
        identity: SHA-256 of the bundle's manifest, hex.
    """
    return (
        environment()
        .get_template("model_data.h.j2")
        .render(
            banner=banner,
            identity=identity,
            model=model,
            graph=graph,
            operators=[RESOLVER_NAMES[op] for op in sorted(graph.ops)],
            measured_arena=measured_arena,
            tensor_arena=tensor_arena_bytes(graph, measured_arena),
        )
    )
