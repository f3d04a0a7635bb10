"""Last pass: where every activation lives, one of the caller's buffers or a place in the arena.

Bytes belong to an activation from the step that writes it to the last one that reads it. Activations whose times do
not overlap may share them. They are placed from the largest to the smallest, each as low as its contemporaries leave
room for; in a chain that needs no more than the largest pair of neighbours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from hardwear.codegen.graph import Activation, Graph, Reshape
from hardwear.codegen.kernels import Plain, PlanesConv, Step
from hardwear.codegen.layout import Layout, Rows
from hardwear.errors import ConversionError

ALIGNMENT = 16
"""Bytes; enough for any load that a kernel makes."""


class Place(Enum):
    """Who owns the bytes of an activation."""

    WINDOW = "window"
    """The caller's input, read-only."""
    ARENA = "arena"
    LOGITS = "logits"
    """The caller's result."""
    EMBEDDING = "embedding"
    """The caller's result."""


@dataclass(frozen=True)
class Buffer:
    """The bytes of one activation, and when they are its own."""

    place: Place
    size: int
    offset: int
    """Bytes from the start of the arena; 0 elsewhere."""
    first: int
    """Number of the step that writes it; -1 for the window."""
    last: int
    """Number of the last step that reads it."""


@dataclass(frozen=True)
class MemoryPlan:
    """The buffer of every activation, and the arena they need."""

    arena_bytes: int
    buffers: dict[Layout, Buffer]
    scratch: dict[Step, Buffer]
    """Memory that a step needs beside its input and output."""

    def of(self, activation: Layout) -> Buffer:
        """The buffer of `activation`."""
        return self.buffers[activation]


def plan_memory(graph: Graph, steps: Sequence[Step]) -> MemoryPlan:
    """Gives every activation its buffer.

    Args:
        graph: Tells which activations are the caller's.
        steps: The steps in the order of execution, each reading what the one before wrote.

    Returns:
        A plan in which no step overwrites what is still to be read, and both outputs end in the caller's buffers.

    Raises:
        ConversionError: An output is only a view of the other or of the window.
    """
    owner = _callers_buffers(graph)
    shared: list[list[Layout]] = [[step.source] for step in steps[:1]]
    for step in steps:
        here = _place(owner, step.source), _place(owner, step.target)
        in_place = isinstance(step, Plain) and isinstance(step.layer, Activation) and here == (Place.ARENA, Place.ARENA)
        if in_place:
            shared[-1].append(step.target)
        else:
            shared.append([step.target])
    if {Place.LOGITS, Place.EMBEDDING} - {_place(owner, group[0]) for group in shared}:
        raise ConversionError("expected layers that compute from the window to the embedding to the logits, got a view")

    # In a chain every activation is read by the step after the one that wrote it.
    wanted: list[tuple[int, int, int, list[Layout] | Step]] = []
    written = -1
    for group in shared:
        last = min(written + len(group), len(steps) - 1)
        wanted.append((_aligned(max(activation.size for activation in group)), written, last, group))
        written = last
    for number, step in enumerate(steps):
        if isinstance(step, PlanesConv) and step.narrow:
            wanted.append((_aligned(step.scratch_bytes), number, number, step))

    buffers: dict[Layout, Buffer] = {}
    scratch: dict[Step, Buffer] = {}
    placed: list[Buffer] = []
    for size, first, last, user in sorted(wanted, key=lambda want: (-want[0], want[1])):
        place = _place(owner, user[0]) if isinstance(user, list) else Place.ARENA
        offset = _lowest(placed, size, first, last) if place is Place.ARENA else 0
        if place is Place.ARENA:
            placed.append(Buffer(place, size, offset, first, last))
        if isinstance(user, list):
            for activation in user:
                buffers[activation] = Buffer(place, activation.size, offset, first, last)
        else:
            scratch[user] = Buffer(place, size, offset, first, last)
    return MemoryPlan(max((buffer.offset + buffer.size for buffer in placed), default=ALIGNMENT), buffers, scratch)


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def _lowest(placed: Sequence[Buffer], size: int, first: int, last: int) -> int:
    """The lowest offset at which `size` bytes are free from step `first` to step `last`."""
    offset = 0
    for other in sorted(placed, key=lambda buffer: buffer.offset):
        if other.first <= last and first <= other.last and other.offset < offset + size:
            offset = max(offset, other.offset + other.size)
    return offset


def _callers_buffers(graph: Graph) -> dict[int, Place]:
    """Whose every tensor's rows are, by index; views are their origin's."""
    owner: dict[int, Place] = {graph.window.index: Place.WINDOW}
    origin = {graph.window.index: graph.window.index}
    for layer in graph.layers:
        index = layer.output.index
        origin[index] = origin[layer.input.index] if isinstance(layer, Reshape) else index
    for tensor, place in ((graph.logits, Place.LOGITS), (graph.embedding, Place.EMBEDDING)):
        owner.setdefault(origin[tensor.index], place)
    return owner


def _place(owner: dict[int, Place], activation: Layout) -> Place:
    return owner.get(activation.tensor.index, Place.ARENA) if isinstance(activation, Rows) else Place.ARENA
