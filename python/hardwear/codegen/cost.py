"""What a compiled network will cost: instructions on a Cortex-M4, flash and RAM.

Convolutions over planes are assembly and know what they take (`convolutions.py`). The figures of the other kernels
were fitted to what the emulator counted for GCC 12 at -O2; `tests/python/test_codegen_on_chip.py` holds all of them to
what it counts today.
"""

from dataclasses import dataclass

from hardwear.codegen.compiled_model import Program
from hardwear.codegen.convolutions import DirectConv, PlanesConv, ToomCookConv
from hardwear.codegen.dense import Dense
from hardwear.codegen.graph import Activation, AveragePool, Conv1D, FullyConnected, Layer, MaxPool, Mean, Reshape
from hardwear.codegen.kernels import Pack, Plain, PlanesAverage, Step, Unpack
from hardwear.codegen.layout import PAIRS
from hardwear.codegen.streaming import Kept

_FRAME_CODE_BYTES = 120
_CALL_CODE_BYTES: dict[type[Step], int] = {
    DirectConv: 180,
    ToomCookConv: 110,
    PlanesAverage: 110,
    Dense: 40,
    Pack: 130,
    Unpack: 80,
    Plain: 20,
}
"""Code of a step by itself; every change of layout is compiled for its shape."""
_STREAMED_CODE_BYTES = 210
"""Code that takes over columns of the last window, and keeps some for the next."""
_SHARED_CODE_BYTES: dict[type[Layer], int] = {
    Conv1D: 700,
    FullyConnected: 800,
    MaxPool: 150,
    AveragePool: 200,
    Mean: 250,
}
"""Code that all steps of a kind share."""


@dataclass(frozen=True)
class Cost:
    """Of one step, or of all."""

    macs: int
    """Multiply-accumulates that the layers ask for."""
    instructions: int
    """On a Cortex-M4, for one inference."""
    constant_bytes: int
    """Weights, biases, multipliers and tables in flash."""
    code_bytes: int
    """Code in flash; what steps share is counted where it is used first."""

    @property
    def flash_bytes(self) -> int:
        """Constants and code."""
        return self.constant_bytes + self.code_bytes


def step_costs(program: Program, *, follows: bool = False) -> list[Cost]:
    """What each step costs, for a window by itself or for one that follows another of its stream."""
    costs: list[Cost] = []
    known: set[type[Layer]] = set()
    compiled: set[tuple[object, ...]] = set()
    for step in program.steps:
        code = _CALL_CODE_BYTES[type(step)]
        if isinstance(step, Plain) and type(step.layer) not in known:
            known.add(type(step.layer))
            code += _SHARED_CODE_BYTES.get(type(step.layer), 0)
        if isinstance(step, PlanesConv | Dense):
            functions = step.functions
            if isinstance(step, ToomCookConv) and program.stream.has_lone_couple(step):
                functions = functions | step.lone_couple_functions
            code += sum(size for function, size in functions.items() if function not in compiled)
            compiled.update(functions)
        if step in program.stream.kept:
            code += _STREAMED_CODE_BYTES
        macs = sum(layer.macs for layer in step.layers)
        kept = program.stream.kept.get(step) if follows else None
        costs.append(Cost(macs, round(_instructions(step, kept)), _constant_bytes(step), code))
    return costs


def program_cost(program: Program, *, follows: bool = False) -> Cost:
    """The sum over all steps; arguments as `step_costs`."""
    costs = step_costs(program, follows=follows)
    return Cost(
        sum(cost.macs for cost in costs),
        sum(cost.instructions for cost in costs),
        sum(cost.constant_bytes for cost in costs),
        sum(cost.code_bytes for cost in costs) + _FRAME_CODE_BYTES,
    )


def _instructions(step: Step, kept: Kept | None) -> float:
    match step:
        case PlanesConv():
            if kept is None:
                return step.instructions(0, 0)
            copies = step.target.count * (2 * (len(kept.columns) / 4 + 1) + 9)
            return step.instructions(kept.left, kept.right) + copies
        case PlanesAverage(layer=layer):
            pools = layer.output.positions * step.source.pairs
            return pools * (2.75 * layer.width + 23 if step.source.lanes == PAIRS else 4.56 * layer.width + 31)
        case Dense():
            return step.instructions
        case Pack():
            return (7.2 if step.target.lanes == PAIRS else 5.2) * step.target.count * step.target.tensor.positions
        case Unpack():
            return 9.5 * step.target.size
        case Plain(layer=layer):
            return _plain(layer)


def _plain(layer: Layer) -> float:
    outputs = layer.output.size
    match layer:
        case Conv1D():
            return 4 * layer.macs + 72 * outputs
        case FullyConnected():
            inputs, fours = layer.input.size, outputs // 4  # of outputs that share their inputs
            four = 22 * (inputs // 4) + 20 * (inputs % 4) + 140
            return fours * four + outputs % 4 * (3.75 * inputs + 60) + 60
        case MaxPool():
            return outputs * 6 * layer.width
        case AveragePool():
            return outputs * (6 * layer.width + 16)
        case Mean():
            return 4 * layer.input.size + 22 * outputs
        case Activation():
            return 3.9 * outputs
        case Reshape():
            return 0


def _constant_bytes(step: Step) -> int:
    match step:
        case PlanesConv():
            return (
                step.stored_weights.nbytes
                + step.channel_bytes * step.output_channels
                + (256 if step.fused.table is not None else 0)
            )
        case Dense():
            return step.stored_weights.nbytes + 4 * len(step.biases)
        case Plain(layer=Conv1D() as layer):
            return layer.weights.nbytes + 12 * layer.bias.size
        case Plain(layer=FullyConnected() as layer):
            return layer.weights.nbytes + layer.bias.nbytes
        case Plain(layer=Activation()):
            return 256
    return 0
