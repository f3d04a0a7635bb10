"""How an activation lies in memory: rows, as TFLite has it, or planes, as the fast kernels want it."""

from dataclasses import dataclass

from hardwear.codegen.graph import Tensor

WORD_BYTES = 4
BLOCK = 4
"""Positions that a convolution over planes computes at a time."""
COUPLE = 2
"""Blocks that some convolutions compute together; planes have room for whole couples."""

PAIRS, QUADS = 2, 4
"""Channels that share a word of a plane: as two int16 or as four bytes."""


def block_count(positions: int) -> int:
    """Blocks that it takes to cover `positions`."""
    return -(-positions // BLOCK)


def couple_count(positions: int) -> int:
    """Couples of blocks that it takes to cover `positions`."""
    return -(-positions // (BLOCK * COUPLE))


def room(positions: int) -> int:
    """`positions`, rounded up to whole couples of blocks."""
    return couple_count(positions) * BLOCK * COUPLE


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
    """One plane of words for every two or four channels; see `firmware/engines/compiled/planes.h`."""

    tensor: Tensor
    pad: int
    """Words of zero point before the first position."""
    stride: int
    """Words from one plane to the next."""
    lanes: int
    """Channels that share a word: 2 int16 or 4 bytes."""

    @property
    def count(self) -> int:
        """Planes."""
        return -(-self.tensor.channels // self.lanes)

    @property
    def pairs(self) -> int:
        """SMLADs of one tap and one position."""
        return self.count * self.lanes // 2

    @property
    def size(self) -> int:
        """Bytes."""
        return self.count * self.stride * WORD_BYTES

    @property
    def text(self) -> str:
        """For people."""
        return f"{self.count} planes of {self.stride} x {self.lanes} {'int16' if self.lanes == PAIRS else 'bytes'}"

    @property
    def cpp(self) -> str:
        """The C++ type that describes it."""
        tensor = self.tensor
        numbers = (tensor.channels, tensor.positions, self.pad, self.stride, tensor.zero_point, self.lanes)
        return f"kernels::Planes<{', '.join(map(str, numbers))}>"


Layout = Rows | Planes
