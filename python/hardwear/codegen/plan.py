"""Last pass: where every activation lives, one of the caller's buffers or a place in the arena.

Bytes belong to an activation from the step that writes it to the last one that reads it. Activations whose times do
not overlap may share them. In a chain only neighbours meet: they lie at the two ends of the arena by turns, with what a
step needs beside them in between. No plan is smaller.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from hardwear.codegen.convolutions import PlanesConv
from hardwear.codegen.graph import Activation, Graph, Reshape
from hardwear.codegen.kernels import Plain, Step
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
    spans: list[tuple[int, int]] = []
    for group in shared:
        first = spans[-1][1] if spans else -1
        spans.append((first, min(first + len(group), len(steps) - 1)))
    places = [_place(owner, group[0]) for group in shared]
    sizes = [_aligned(max(activation.size for activation in group)) for group in shared]
    beside: dict[Step, int] = {}
    for step in steps:
        if isinstance(step, PlanesConv) and step.scratch_bytes:
            beside[step] = _aligned(step.scratch_bytes)

    def in_arena(number: int) -> int:
        """Bytes of the arena that are in use at a step, its scratch memory included."""
        alive = zip(spans, places, sizes, strict=True)
        used = sum(size for (first, last), place, size in alive if place is Place.ARENA and first <= number <= last)
        return used + beside.get(steps[number], 0)

    arena_bytes = max(ALIGNMENT, *(in_arena(number) for number in range(len(steps))))
    buffers: dict[Layout, Buffer] = {}
    scratch: dict[Step, Buffer] = {}
    low = False
    for group, (first, last), place, size in zip(shared, spans, places, sizes, strict=True):
        low = not low if place is Place.ARENA else low
        offset = 0 if low or place is not Place.ARENA else arena_bytes - size
        for activation in group:
            buffers[activation] = Buffer(place, activation.size, offset, first, last)
    for number, step in enumerate(steps):
        if step in beside:
            ends = (buffers[step.source], buffers[step.target])
            low_end = max(_aligned(end.size) for end in ends if end.place is Place.ARENA and end.offset == 0)
            scratch[step] = Buffer(Place.ARENA, beside[step], low_end, number, number)
    return MemoryPlan(arena_bytes, buffers, scratch)


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


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
