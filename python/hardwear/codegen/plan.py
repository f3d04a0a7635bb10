"""Where every activation lives: a passing view, one of the caller's buffers, or a place in the arena.

In a chain only two buffers are alive at a time, the layer's input and its output. So they take turns at the two
ends of the arena, which is then exactly as large as the largest such pair: no plan can be smaller without
computing in place. Activations work in place, a reshape moves nothing.
"""

from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

from hardwear.codegen.graph import Activation, Graph, Reshape, Tensor
from hardwear.errors import ConversionError

ALIGNMENT = 16
"""Bytes; enough for any load that a faster kernel may want."""


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
    """Bytes that one or more tensors share, one after the other."""

    place: Place
    size: int
    offset: int = 0
    """Bytes from the start of the arena; 0 elsewhere."""


@dataclass(frozen=True)
class MemoryPlan:
    """The buffer of every tensor, and the arena they need."""

    arena_bytes: int
    buffers: dict[int, Buffer]
    """By tensor index."""

    def of(self, tensor: Tensor) -> Buffer:
        """The buffer of `tensor`."""
        return self.buffers[tensor.index]


def plan_memory(graph: Graph) -> MemoryPlan:
    """Gives every tensor of the chain its buffer.

    Args:
        graph: The layers in the order of execution.

    Returns:
        A plan in which no layer overwrites what is still to be read, and both outputs end in the caller's buffers.

    Raises:
        ConversionError: An output is only a view of the other or of the window.
    """
    groups = _shared_buffers(graph)
    places = [_place(graph, group) for group in groups]
    if Place.LOGITS not in places or Place.EMBEDDING not in places:
        raise ConversionError("expected layers that compute from the window to the embedding to the logits, got a view")
    sizes = [-(-group[0].size // ALIGNMENT) * ALIGNMENT for group in groups]
    arena = [size if place is Place.ARENA else 0 for size, place in zip(sizes, places, strict=True)]
    arena_bytes = max(left + right for left, right in pairwise(arena))

    buffers = {}
    for turn, (group, place, size) in enumerate(zip(groups, places, arena, strict=True)):
        offset = arena_bytes - size if place is Place.ARENA and turn % 2 else 0
        for tensor in group:
            buffers[tensor.index] = Buffer(place, tensor.size, offset)
    return MemoryPlan(arena_bytes, buffers)


def _shared_buffers(graph: Graph) -> list[list[Tensor]]:
    """The tensors in the order of the chain, those that share one buffer together."""
    kept = {graph.window.index, graph.embedding.index}
    groups = [[graph.window]]
    for layer in graph.layers:
        overwrites = isinstance(layer, Activation) and not any(tensor.index in kept for tensor in groups[-1])
        if overwrites or isinstance(layer, Reshape):
            groups[-1].append(layer.output)
        else:
            groups.append([layer.output])
    return groups


def _place(graph: Graph, group: list[Tensor]) -> Place:
    indices = {tensor.index for tensor in group}
    if graph.window.index in indices:
        return Place.WINDOW
    if graph.logits.index in indices:
        return Place.LOGITS
    return Place.EMBEDDING if graph.embedding.index in indices else Place.ARENA
