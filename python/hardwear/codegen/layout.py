"""How an activation lies in memory: rows, as TFLite has it, or planes, as the fast kernels want it."""

from dataclasses import dataclass

from hardwear.codegen.graph import Tensor

WORD_BYTES = 4
BLOCK = 4
"""Positions that a convolution over planes computes at a time."""


def whole_blocks(positions: int) -> int:
    """`positions`, rounded up to whole blocks."""
    return -(-positions // BLOCK) * BLOCK


@dataclass(frozen=True, eq=False)
class Rows:
    """`positions` rows of `channels` int8."""

    tensor: Tensor

    @property
    def size(self) -> int:
        """Bytes."""
        return self.tensor.size

    @property
    def text(self) -> str:
        """For people."""
        return f"{self.tensor.positions} x {self.tensor.channels} int8"


@dataclass(frozen=True, eq=False)
class Planes:
    """One plane of words for every two channels, an int16 each; see `firmware/engines/compiled/planes.h`."""

    tensor: Tensor
    pad: int
    """Words of zero point before the first position."""
    stride: int
    """Words from one plane to the next."""

    @property
    def pairs(self) -> int:
        """Planes."""
        return (self.tensor.channels + 1) // 2

    @property
    def size(self) -> int:
        """Bytes."""
        return self.pairs * self.stride * WORD_BYTES

    @property
    def text(self) -> str:
        """For people."""
        return f"{self.pairs} planes of {self.stride} x 2 int16"

    @property
    def cpp(self) -> str:
        """The C++ type that describes it."""
        tensor = self.tensor
        return f"kernels::Planes<{tensor.channels}, {tensor.positions}, {self.pad}, {self.stride}, {tensor.zero_point}>"


Layout = Rows | Planes
