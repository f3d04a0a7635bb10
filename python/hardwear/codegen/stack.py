"""How deep the stack of an inference goes, at most.

No function of the engine calls itself, none has a frame whose size shows at run time only, and one kernel runs at a
time: the deepest path is the inference's own frame and the deepest kernel's. The bounds hold for GCC 12 from -Os to
-O3: `tests/python/test_codegen_stack.py` holds them to the call graph that the compiler writes, others to what the
emulated chip used.
"""

from collections.abc import Sequence

from hardwear.codegen.convolutions import DirectConv, ToomCookConv
from hardwear.codegen.dense import Dense
from hardwear.codegen.kernels import Pack, Plain, PlanesAverage, Step, Unpack

_INFERENCE_BYTES = 176
"""Of `classify()` and what calls the kernels."""
_KERNEL_BYTES: dict[type[Step], int] = {
    DirectConv: 288,
    ToomCookConv: 272,
    PlanesAverage: 64,
    Dense: 160,
    Pack: 64,
    Unpack: 64,
    Plain: 208,
}
"""Of the functions of one step, what its assembly saves included."""


def stack_bytes(steps: Sequence[Step]) -> int:
    """Bytes that an inference of these steps takes of the stack at most."""
    return _INFERENCE_BYTES + max(_KERNEL_BYTES[type(step)] for step in steps)
