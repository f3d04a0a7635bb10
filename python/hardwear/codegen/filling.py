"""Where RAM is spared: minimal filtering for the convolutions whose scratch memory costs none.

The arena is as large as the step that needs most. Whatever another step leaves of it lies idle while that step runs:
room for what a faster kernel needs beside its input and output.
"""

from collections.abc import Sequence

from hardwear.codegen.convolutions import DirectConv, PlanesConv
from hardwear.codegen.graph import Graph
from hardwear.codegen.kernels import Step, by_minimal_filtering
from hardwear.codegen.plan import plan_memory


def fill_arena(graph: Graph, steps: Sequence[Step]) -> tuple[Step, ...]:
    """The same steps, convolutions by minimal filtering where that is faster and the arena stays as small as it is.

    Scratch memory is a step's own while it runs, so that every convolution is decided by itself.
    """
    arena_bytes = plan_memory(graph, steps).arena_bytes
    chosen = list(steps)
    for number, step in enumerate(steps):
        tiled = by_minimal_filtering(step) if isinstance(step, DirectConv) else None
        if tiled is not None and arena_with(graph, steps, tiled) <= arena_bytes:
            chosen[number] = tiled
    return tuple(chosen)


def arena_with(graph: Graph, steps: Sequence[Step], conv: PlanesConv) -> int:
    """Bytes of the arena if `conv` computed what a step from the same planes to the same planes computes now."""
    replaced = [conv if (step.source, step.target) == (conv.source, conv.target) else step for step in steps]
    return plan_memory(graph, replaced).arena_bytes
