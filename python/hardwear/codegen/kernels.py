"""Second pass: which kernel computes what, and in which layout the activations pass between them.

A convolution runs over planes where its shape and its integers allow it, and through the plain kernels otherwise. A
step that turns one layout into the other stands wherever two neighbours disagree.
"""

from dataclasses import dataclass, replace
from enum import Enum
from typing import ClassVar

from hardwear.codegen.convolutions import DirectConv, PlanesConv, ToomCookConv, plane_words, why_plain, why_tap_by_tap
from hardwear.codegen.dense import Dense, why_not_dense
from hardwear.codegen.fusion import FusedConv, Operation
from hardwear.codegen.graph import AveragePool, FullyConnected, Graph, Layer, Reshape, Tensor
from hardwear.codegen.layout import PAIRS, QUADS, Layout, Planes, Rows, room

_AVERAGE_WIDTH_MAX = 255
"""Positions whose bytes add up within 16 bits."""


class Preference(Enum):
    """What to spare where a choice is free."""

    SPEED = "speed"
    """Activations in planes of two int16, weights widened or transformed in flash: fewest instructions."""
    RAM = "ram"
    """Activations in planes of four bytes, widened in the kernel; minimal filtering where it needs no more RAM."""
    FLASH = "flash"
    """Weights of int8 in flash, widened at run time."""


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


Step = PlanesConv | PlanesAverage | Dense | Pack | Unpack | Plain


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
                stride = max(plane_words(operation), conv.pad_left + conv.input.positions)
                view = replace(current.tensor, positions=conv.input.positions, channels=conv.input.channels)
                packed = Planes(view, conv.pad_left, stride, lanes)
                steps.append(Pack(current, packed))
                current = packed
            target = _output_planes(operation, output, following, lanes)
            steps.append(choose_convolution(operation, current, target, prefer))
            current = target
        elif isinstance(current, Planes):
            assert isinstance(operation, AveragePool)
            steps.append(PlanesAverage(operation, current, Rows(output)))
            current = steps[-1].target
        elif isinstance(operation, FullyConnected) and prefer is Preference.SPEED and why_not_dense(operation) is None:
            steps.append(Dense(operation, current, Rows(output)))
            current = steps[-1].target
        else:
            steps.append(Plain(operation, current, Rows(output)))
            current = steps[-1].target
        if isinstance(current, Planes) and output.index in outputs:
            steps.append(Unpack(current, Rows(output)))
            current = steps[-1].target
    return tuple(steps)


def choose_convolution(fused: FusedConv, source: Planes, target: Planes, prefer: Preference) -> PlanesConv:
    """The kernel that takes the fewest instructions, of those that spare what is preferred.

    What RAM is left for minimal filtering where RAM is spared shows when all steps are known (`filling.py`).
    """
    direct = DirectConv(fused, source, target, narrow=prefer is Preference.FLASH)
    tiled = by_minimal_filtering(direct) if prefer is Preference.SPEED else None
    return direct if tiled is None else tiled


def by_minimal_filtering(direct: DirectConv) -> ToomCookConv | None:
    """The same by minimal filtering; None where that can't be, or takes no fewer instructions."""
    tiled = ToomCookConv(direct.fused, direct.source, direct.target)
    faster = tiled.instructions(0, 0) < direct.instructions(0, 0)
    return tiled if why_tap_by_tap(tiled) is None and faster else None


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
        needed = plane_words(following)
    written = room(fused.conv.output.positions) // fused.pool
    return Planes(output, pad, max(needed, pad + written), lanes)
