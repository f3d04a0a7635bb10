"""Second pass: which kernel computes what, and in which layout the activations pass between them.

A convolution runs over planes where its shape and its integers allow it, and through the plain kernels otherwise. A
step that turns one layout into the other stands wherever two neighbours disagree.
"""

from dataclasses import dataclass, replace
from enum import Enum
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from hardwear.codegen.fixed_point import Multiplier
from hardwear.codegen.fusion import FusedConv, Operation
from hardwear.codegen.graph import INT8_MAX, INT8_MIN, AveragePool, Graph, Layer, Reshape, Tensor
from hardwear.codegen.layout import BLOCK, PAIRS, QUADS, WORD_BYTES, Layout, Planes, Rows, whole_blocks

TAPS = (3, 5)
"""Lengths of the fast convolution kernels; shorter ones are filled up with taps of zero."""
MAX_UNROLL = 8
"""Pairs of channels that a convolution computes between two branches, at most: about 100 bytes of code each."""

_INT32_MAX = 2**31 - 1
_POST_INDEX_MAX = 1020
"""Bytes by which LDRD moves its address."""
_AVERAGE_WIDTH_MAX = 255
"""Positions whose int8 add up within 16 bits."""


class Preference(Enum):
    """What to spare where a choice is free."""

    SPEED = "speed"
    """Activations in planes of two int16, weights widened in flash: fewest instructions."""
    RAM = "ram"
    """Activations in planes of four int8, widened in the kernel."""
    FLASH = "flash"
    """Weights of int8 in flash, widened at run time."""


@dataclass(frozen=True)
class PlanesChannel:
    """What one output channel of a convolution over planes computes with; all in units of half a sum."""

    bias: int
    """Doubled, less what the input's zero point adds."""
    multiplier: int
    half: int
    """What rounds the right shift, plus the output's zero point."""
    shift: int


@dataclass(frozen=True, eq=False)
class PlanesConv:
    """A fused convolution from planes to planes."""

    fused: FusedConv
    source: Planes
    target: Planes
    weights: npt.NDArray[np.int16]
    """(output channels, planes, words of a plane's two or four channels, taps, 2), doubled; zeros fill up what is
    missing."""
    channels: tuple[PlanesChannel, ...]
    unroll: int
    """Planes that are computed between two branches."""
    narrow: bool
    """Whether the weights are int8 in flash and widened at run time."""

    @property
    def kernel(self) -> str:
        """Its C++ function."""
        return "convolve_widening" if self.narrow else "convolve"

    @property
    def name(self) -> str:
        """The convolution's."""
        return self.fused.conv.name

    @property
    def layers(self) -> tuple[Layer, ...]:
        """What it computes."""
        return self.fused.layers

    @property
    def taps(self) -> int:
        """Taps that are computed."""
        return int(self.weights.shape[3])

    @property
    def stored_weights(self) -> npt.NDArray[np.int16] | npt.NDArray[np.int8]:
        """What is in flash: the weights, or their undoubled bytes in the order in which SXTB16 takes them."""
        words = self.weights.reshape(len(self.weights), -1, 2)
        if not self.narrow:
            return words
        even = np.pad(words // 2, ((0, 0), (0, words.shape[1] % 2), (0, 0))).astype(np.int8)
        return even.reshape(len(words), -1, 2, 2).transpose(0, 1, 3, 2)

    @property
    def scratch_bytes(self) -> int:
        """RAM for the widened weights of one output channel."""
        return 2 * self.stored_weights[0].size if self.narrow else 0

    @property
    def blocks(self) -> int:
        """Blocks of four positions of one output channel."""
        return whole_blocks(self.fused.conv.output.positions) // BLOCK

    @property
    def unshifted(self) -> bool:
        """Whether a channel has shift 0, so that nothing is rounded twice."""
        return any(channel.shift == 0 for channel in self.channels)


@dataclass(frozen=True, eq=False)
class PlanesAverage:
    """An average pool from planes to rows."""

    kernel: ClassVar[str] = "average_pool_planes"
    layer: AveragePool
    source: Planes
    target: Rows

    @property
    def name(self) -> str:
        """The layer's."""
        return self.layer.name

    @property
    def layers(self) -> tuple[Layer, ...]:
        """What it computes."""
        return (self.layer,)


@dataclass(frozen=True, eq=False)
class Pack:
    """From rows to planes."""

    kernel: ClassVar[str] = "pack_planes"
    source: Rows
    target: Planes
    layers: ClassVar[tuple[Layer, ...]] = ()

    @property
    def name(self) -> str:
        """Names the tensor by its number."""
        return f"pack_{self.source.tensor.index}"


@dataclass(frozen=True, eq=False)
class Unpack:
    """From planes to rows."""

    kernel: ClassVar[str] = "unpack_planes"
    source: Planes
    target: Rows
    layers: ClassVar[tuple[Layer, ...]] = ()

    @property
    def name(self) -> str:
        """Names the tensor by its number."""
        return f"unpack_{self.source.tensor.index}"


@dataclass(frozen=True, eq=False)
class Plain:
    """A layer by its plain kernel, from rows to rows."""

    layer: Layer
    source: Rows
    target: Rows

    @property
    def name(self) -> str:
        """The layer's."""
        return self.layer.name

    @property
    def layers(self) -> tuple[Layer, ...]:
        """What it computes."""
        return (self.layer,)


Step = PlanesConv | PlanesAverage | Pack | Unpack | Plain


def choose_kernels(
    graph: Graph, operations: tuple[Operation, ...], prefer: Preference = Preference.SPEED
) -> tuple[Step, ...]:
    """The steps of one inference, in order, each with the layouts that it reads and writes.

    Args:
        graph: Where the operations come from; its window comes and its outputs go in rows.
        operations: What `fuse` made of it.
        prefer: What to spare.
    """
    lanes = QUADS if prefer is Preference.RAM else PAIRS
    pending = [part for operation in operations for part in _feasible(operation)]
    root = _roots(graph)
    outputs = {root[graph.embedding.index].index, root[graph.logits.index].index}
    steps: list[Step] = []
    current: Layout = Rows(graph.window)
    for number, operation in enumerate(pending):
        following = pending[number + 1] if number + 1 < len(pending) else None
        output = root[operation.output.index]
        if isinstance(current, Planes) and not _reads_planes(operation, current.tensor):
            rows = Rows(current.tensor)
            steps.append(Unpack(current, rows))
            current = rows
        if isinstance(operation, FusedConv):
            conv = operation.conv
            if isinstance(current, Rows):
                needed = whole_blocks(conv.output.positions) + fast_taps(conv.taps) - 1
                stride = max(needed, conv.pad_left + conv.input.positions)
                view = replace(current.tensor, positions=conv.input.positions, channels=conv.input.channels)
                packed = Planes(view, conv.pad_left, stride, lanes)
                steps.append(Pack(current, packed))
                current = packed
            target = _output_planes(operation, output, following, lanes)
            steps.append(_planes_conv(operation, current, target, narrow=prefer is Preference.FLASH))
            current = target
        elif isinstance(current, Planes):
            assert isinstance(operation, AveragePool)
            steps.append(PlanesAverage(operation, current, Rows(output)))
            current = steps[-1].target
        else:
            steps.append(Plain(operation, current, Rows(output)))
            current = steps[-1].target
        if isinstance(current, Planes) and output.index in outputs:
            steps.append(Unpack(current, Rows(output)))
            current = steps[-1].target
    return tuple(steps)


def fast_taps(taps: int) -> int:
    """The shortest fast kernel that holds so many taps; 0 if there is none."""
    return next((fast for fast in TAPS if taps <= fast), 0)


def planes_channels(fused: FusedConv) -> tuple[PlanesChannel, ...] | None:
    """The integers of a convolution over planes, or None if they would leave 32 bits."""
    conv = fused.conv
    weights = conv.weights.reshape(len(conv.weights), -1).astype(np.int64)
    zero_point, magnitudes = conv.input.zero_point, np.abs(weights).sum(axis=1)
    folded = conv.bias - zero_point * weights.sum(axis=1)
    reach = np.abs(conv.bias.astype(np.int64)) + magnitudes * max(INT8_MAX - zero_point, zero_point - INT8_MIN)
    # Partial sums multiply raw values, which reach to -128.
    partial = np.abs(folded) - INT8_MIN * magnitudes
    if 2 * int(partial.max()) > _INT32_MAX or any(multiplier.shift > 0 for multiplier in conv.multipliers):
        return None
    channels = [
        _channel(int(bias), multiplier, int(largest), conv.output.zero_point)
        for bias, multiplier, largest in zip(folded, conv.multipliers, reach, strict=True)
    ]
    usable = tuple(channel for channel in channels if channel is not None)
    return usable if len(usable) == len(channels) else None


def _channel(bias: int, multiplier: Multiplier, largest: int, zero_point: int) -> PlanesChannel | None:
    """One channel's integers, given the largest magnitude of its sum."""
    shift, mantissa = -multiplier.shift, multiplier.mantissa
    product = (largest * mantissa + 2**30 >> 31) + 1
    if mantissa == 0 or (shift > 0 and product < 1 << (shift - 1)):
        mantissa, shift, product = 0, 1, 0  # the answer is the zero point whatever the input
    half = (1 << shift >> 1) + (zero_point << shift)
    return None if product + abs(half) + 1 > _INT32_MAX else PlanesChannel(2 * bias, mantissa, half, shift)


def why_plain(fused: FusedConv) -> str | None:
    """Why a convolution can't run over planes; None if it can."""
    conv, taps = fused.conv, fast_taps(fused.conv.taps)
    if not taps:
        return f"{conv.taps} taps, the fast kernels reach to {TAPS[-1]}"
    if conv.stride != 1:
        return f"stride {conv.stride}, the fast kernels know 1"
    stride = max(whole_blocks(conv.output.positions) + taps - 1, conv.pad_left + whole_blocks(conv.input.positions))
    if stride * WORD_BYTES > _POST_INDEX_MAX:
        return f"planes of {stride} positions, the fast kernels reach to {_POST_INDEX_MAX // WORD_BYTES}"
    return None if planes_channels(fused) is not None else "sums or multipliers that leave 32 bits when doubled"


def _feasible(operation: Operation) -> tuple[Operation, ...]:
    """The operation, or a fused convolution's own layers where it can't run over planes."""
    plain = isinstance(operation, FusedConv) and why_plain(operation) is not None
    return operation.layers if plain and isinstance(operation, FusedConv) else (operation,)


def _roots(graph: Graph) -> dict[int, Tensor]:
    """For every tensor the one that it is a view of: itself, or what a reshape reads."""
    root = {graph.window.index: graph.window}
    for layer in graph.layers:
        root[layer.output.index] = root[layer.input.index] if isinstance(layer, Reshape) else layer.output
    return root


def _reads_planes(operation: Operation, source: Tensor) -> bool:
    """Whether a kernel over planes takes `source` as it is; a view of another shape it doesn't."""
    read = operation.input
    if (read.positions, read.channels) != (source.positions, source.channels):
        return False
    if isinstance(operation, AveragePool):
        return operation.width == operation.stride <= _AVERAGE_WIDTH_MAX
    return isinstance(operation, FusedConv)


def _output_planes(fused: FusedConv, output: Tensor, following: Operation | None, lanes: int) -> Planes:
    """Planes with room for what the kernel writes and for what the next one reads."""
    pad, needed = 0, 0
    if isinstance(following, FusedConv) and _reads_planes(following, output):
        pad = following.conv.pad_left
        needed = whole_blocks(following.conv.output.positions) + fast_taps(following.conv.taps) - 1
    written = whole_blocks(fused.conv.output.positions) // fused.pool
    return Planes(output, pad, max(needed, pad + written), lanes)


def _planes_conv(fused: FusedConv, source: Planes, target: Planes, narrow: bool) -> PlanesConv:
    conv = fused.conv
    channels = planes_channels(fused)
    assert channels is not None
    outputs, taps, inputs = conv.weights.shape
    weights = np.zeros((outputs, source.count * source.lanes, fast_taps(taps)), np.int16)
    weights[:, :inputs, :taps] = 2 * conv.weights.transpose(0, 2, 1).astype(np.int16)
    # Of a word's lanes the first and third meet in one SMLAD, then the second and fourth.
    words = weights.reshape(outputs, source.count, 2, source.lanes // 2, -1).transpose(0, 1, 3, 4, 2)
    return PlanesConv(fused, source, target, words, channels, _unroll(source), narrow)


def _unroll(source: Planes) -> int:
    limit = min(source.count, MAX_UNROLL * PAIRS // source.lanes)
    return next(count for count in range(limit, 0, -1) if source.count % count == 0)
