"""First pass: a convolution takes in what follows it, as long as the bits stay the same.

An activation is a map of int8, so the convolution can end in a table. Rescaling never reverses an order, so the
largest of neighbouring sums gives the largest of the rescaled values: a max-pool moves before the rescaling and saves
it for all sums but one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from hardwear.codegen.graph import INT8_MAX, INT8_MIN, Activation, Clamp, Conv1D, Graph, Layer, MaxPool, Reshape, Tensor

POOLS = (2, 4)
"""Widths of a max-pool that a convolution takes in: those that divide its blocks of four positions."""

_INT8 = range(INT8_MIN, INT8_MAX + 1)


@dataclass(frozen=True, eq=False)
class FusedConv:
    """A convolution, then a map of int8 to int8, the largest of `pool` neighbours taken on the way."""

    layers: tuple[Layer, ...]
    """What it is made of, in the order of execution."""
    conv: Conv1D
    output: Tensor
    table: tuple[int, ...] | None
    """Output for a rescaled sum that saturates to -128, -127 … 127; None where it is that sum."""
    pool: int

    @property
    def input(self) -> Tensor:
        """What the convolution reads."""
        return self.conv.input


Operation = FusedConv | Layer


def fuse(graph: Graph) -> tuple[Operation, ...]:
    """The layers that compute, each convolution with what it takes in. Views (reshapes) are left out.

    Args:
        graph: The chain of layers. Its outputs stay visible: nothing is fused past them.
    """
    visible = {graph.embedding.index, graph.logits.index}
    operations: list[Operation] = []
    layers = list(graph.layers)
    while layers:
        layer = layers.pop(0)
        if isinstance(layer, Reshape):
            continue
        if not isinstance(layer, Conv1D):
            operations.append(layer)
            continue
        fused = _alone(layer)
        while layers and fused.output.index not in visible:
            longer = _taken_in(fused, layers[0])
            if longer is None:
                break
            fused = longer
            layers.pop(0)
        operations.append(fused)
    return tuple(operations)


def _alone(conv: Conv1D) -> FusedConv:
    return FusedConv((conv,), conv, conv.output, _mapped(None, _clamped(conv.clamp)), 1)


def _taken_in(fused: FusedConv, layer: Layer) -> FusedConv | None:
    """The convolution with one more layer, or None if it can't take it in."""
    table, pool = fused.table, fused.pool
    match layer:
        case Activation() if all(a <= b for a, b in pairwise(layer.table)):
            table = _mapped(table, lambda q: layer.table[q - INT8_MIN])
        case MaxPool() if (
            pool == 1
            and layer.width == layer.stride
            and layer.width in POOLS
            and layer.output.positions * layer.width == layer.input.positions
        ):
            pool, table = layer.width, _mapped(table, _clamped(layer.clamp))
        case _:
            return None
    return FusedConv((*fused.layers, layer), fused.conv, layer.output, table, pool)


def _clamped(clamp: Clamp) -> Callable[[int], int]:
    return lambda q: min(max(q, clamp.low), clamp.high)


def _mapped(table: tuple[int, ...] | None, function: Callable[[int], int]) -> tuple[int, ...] | None:
    """`function` after `table`; None for the identity."""
    values = tuple(function(q) for q in (_INT8 if table is None else table))
    return None if values == tuple(_INT8) else values
